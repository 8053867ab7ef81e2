"""Links with which an operator signs in once. They are passed on by whoever makes them."""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.access import audit
from app.access.actions import Action
from app.access.actor import Actor
from app.access.errors import AccessError
from app.access.models import Operator, SignInLink
from app.access.operators import subject_of
from app.access.random_secret import new_secret, secret_hash

LIFETIME: Final = timedelta(minutes=15)
MAX_LINKS: Final = 5
SIGN_IN_PATH: Final = "/console/sign-in/"


async def make(session: AsyncSession, actor: Actor, operator: Operator, *, now: datetime) -> str:
    """Return the secret of a new link, which nothing shows again; see `link_of`.

    An operator has at most MAX_LINKS links; the oldest ones end. Raises AccessError if the operator
    is disabled.
    """
    if operator.disabled_at is not None:
        raise AccessError(f"{operator.name} is disabled: enable the operator first")
    own = SignInLink.operator_id == operator.id
    newest = select(SignInLink.secret_hash).where(own).order_by(SignInLink.created_at.desc())
    kept = newest.limit(MAX_LINKS - 1)
    await session.execute(delete(SignInLink).where(own, SignInLink.secret_hash.not_in(kept)))
    secret = new_secret()
    session.add(
        SignInLink(
            secret_hash=secret_hash(secret),
            operator_id=operator.id,
            created_at=now,
            expires_at=now + LIFETIME,
        )
    )
    await audit.record(session, actor, Action.SIGN_IN_LINK_MADE, subject_of(operator), now=now)
    return secret


def link_of(base_url: str, secret: str) -> str:
    """Return the address to open. base_url: scheme and host of the console, with no path."""
    return f"{base_url.rstrip('/')}{SIGN_IN_PATH}{secret}"


async def take(session: AsyncSession, secret: str, *, now: datetime) -> Operator | None:
    """Use a link up and return its operator; None if it is unknown, used, expired or disabled.

    Of two at once, one gets the operator.
    """
    valid = (SignInLink.secret_hash == secret_hash(secret), SignInLink.expires_at > now)
    # The operator is locked first, as whoever disables one does it.
    operator = await session.scalar(
        select(Operator)
        .join(SignInLink, SignInLink.operator_id == Operator.id)
        .where(*valid, Operator.disabled_at.is_(None))
        .with_for_update(read=True, of=Operator)
    )
    # An unknown link runs the same two statements, so that the time tells nothing.
    used = await session.scalar(delete(SignInLink).where(*valid).returning(SignInLink.operator_id))
    return None if used is None else operator
