"""Who sends a request of the console, as `gate` has found out."""

from fastapi import Request

from app.access.actor import Actor
from app.access.sessions import SignedIn


def visitor_of(request: Request) -> SignedIn | None:
    """Return the operator who sends a request; None if nobody is signed in."""
    return getattr(request.state, "visitor", None)


def address_of(request: Request) -> str | None:
    """Return the IP address that a request comes from."""
    return request.client.host if request.client else None


def actor_of(request: Request, visitor: SignedIn) -> Actor:
    """Return who acts, for the audit log."""
    return visitor.actor(address_of(request))
