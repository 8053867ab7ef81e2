"""Errors of menus.

MenuError
 ├ DraftChanged     the draft is not the one that was read
 ├ Unfinished       a version of the account is being published
 ├ Finished         the version is not being published
 ├ TooLate          followers see the version already, so that it can't be stopped
 ├ UnknownVersion   the account has no version with this number
 ├ NothingBefore    there is no version before the one that is live
 └ Incomplete       the version holds buttons that the API can't make
"""


class MenuError(Exception):
    """Base class of all errors of this package. The text says what to do."""


class DraftChanged(MenuError):
    """The draft is not the one that was read. revision: the present one."""

    def __init__(self, revision: int) -> None:
        super().__init__(
            f"the draft has the revision {revision} by now: read it again, and repeat your change"
        )


class Unfinished(MenuError):
    """A version of the account is being published. number: of the version."""

    def __init__(self, number: int) -> None:
        super().__init__(
            f"version {number} is being published: wait until it is over, or stop it first"
        )
        self.number = number


class Finished(MenuError):
    """The version is not being published."""

    def __init__(self, number: int) -> None:
        super().__init__(f"version {number} is not being published, so nothing is to be stopped")


class TooLate(MenuError):
    """The earlier conditional menus are being deleted, so that the version can't be stopped."""

    def __init__(self, number: int) -> None:
        super().__init__(
            f"followers see version {number} already, and the conditional menus before it are "
            "being deleted: wait until it is published, and undo it then"
        )


class UnknownVersion(MenuError):
    """The account has no version with this number."""

    def __init__(self, number: int) -> None:
        super().__init__(f"the account has no version {number}")


class NothingBefore(MenuError):
    """There is no version before the one that is live."""

    def __init__(self) -> None:
        super().__init__("no menu was there before the one that is live: publish another draft")


class Incomplete(MenuError):
    """The version holds buttons that the API can't make, so that it can't be published again."""

    def __init__(self, number: int) -> None:
        super().__init__(
            f"the API can't make all buttons of version {number}: restore it into the draft, "
            "complete it, and publish the draft"
        )
