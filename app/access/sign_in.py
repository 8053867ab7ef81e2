"""Signs an operator in with a link."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from app.access import sessions, sign_in_links
from app.access.models import Operator
from app.access.sign_in_throttle import count_failure


@dataclass(frozen=True, slots=True)
class Accepted:
    """Somebody is signed in. secret: of the new session, for the cookie."""

    operator: Operator
    secret: str


@dataclass(frozen=True, slots=True)
class Refused:
    """The link is unknown, used, expired, or its operator is disabled: nobody learns which.

    wait: set once there were too many attempts.
    """

    wait: timedelta | None


async def sign_in(
    session: AsyncSession,
    secret: str,
    *,
    address: str | None,
    user_agent: str | None,
    now: datetime,
) -> Accepted | Refused:
    """Use a link up and start a session. The caller commits in both cases.

    secret: what the link ends in. A valid link is never refused because of other attempts: all
    browsers behind one proxy share its address, and somebody out there must not be able to lock
    the operators out. What keeps a link from being guessed is its length.
    """
    operator = await sign_in_links.take(session, secret, now=now)
    if operator is None:
        return Refused(await count_failure(session, address, secret, now=now))
    cookie = await sessions.start(
        session, operator, address=address, user_agent=user_agent, now=now
    )
    return Accepted(operator, cookie)
