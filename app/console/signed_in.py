"""Who may use a route: each declares the role that it needs.

VIEWER: needs = Annotated[SignedIn, Depends(signed_in(Role.VIEWER))]
"""

from collections.abc import Awaitable, Callable
from typing import Annotated, Final

from fastapi import Depends, Request

from app.access.roles import Role
from app.access.sessions import SignedIn
from app.console.errors import NotAllowed, NotSignedIn
from app.console.visitor import visitor_of

ROLE_ATTRIBUTE: Final = "needed_role"


def signed_in(role: Role) -> Callable[[Request], Awaitable[SignedIn]]:
    """Return a dependency that gives the operator. Raises NotSignedIn and NotAllowed."""

    async def require(request: Request) -> SignedIn:
        visitor = visitor_of(request)
        if visitor is None:
            raise NotSignedIn
        if not visitor.role.allows(role):
            raise NotAllowed(role)
        return visitor

    # The test of routes and roles reads it.
    setattr(require, ROLE_ATTRIBUTE, role)
    return require


Viewer = Annotated[SignedIn, Depends(signed_in(Role.VIEWER))]
Editor = Annotated[SignedIn, Depends(signed_in(Role.EDITOR))]
Owner = Annotated[SignedIn, Depends(signed_in(Role.OWNER))]
