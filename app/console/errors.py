"""Why a request of the console is not carried out.

ConsoleError
├── NotSignedIn   401: there is no session, or not any more
├── NotAllowed    403: the operator's role does not allow it
├── OtherOrigin   403: a page of another origin has sent it
├── NotSecure     403: a page that was not loaded over HTTPS has sent it
└── NotFound      404: there is no such thing
"""

from app.access.roles import Role


class ConsoleError(Exception):
    """The request is answered with a page that says why."""


class NotSignedIn(ConsoleError):
    """Nobody is signed in."""


class NotAllowed(ConsoleError):
    """The role of the operator is too small. needed: the role that it takes."""

    def __init__(self, needed: Role) -> None:
        super().__init__(needed)
        self.needed = needed


class OtherOrigin(ConsoleError):
    """The request changes something and does not come from a page of the console."""


class NotSecure(ConsoleError):
    """The request changes something, and the browser would keep no session over plain HTTP."""


class NotFound(ConsoleError):
    """There is no such page or thing."""
