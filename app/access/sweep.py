"""Deletes links, sessions and counts of failed sign-ins that no longer matter."""

from sqlalchemy import delete, or_

from app.access.models import OperatorSession, SignInAttempts, SignInLink
from app.access.sessions import MAX_AGE, MAX_IDLE
from app.access.sign_in_throttle import WINDOW
from app.clock import Clock
from app.db.engine import SessionFactory


async def sweep(sessions: SessionFactory, clock: Clock) -> None:
    """Delete what has expired. There are few links and sessions, so one statement each does."""
    now = clock.now()
    async with sessions.begin() as session:
        await session.execute(delete(SignInLink).where(SignInLink.expires_at <= now))
        await session.execute(delete(SignInAttempts).where(SignInAttempts.began_at <= now - WINDOW))
        await session.execute(
            delete(OperatorSession).where(
                or_(
                    OperatorSession.started_at <= now - MAX_AGE,
                    OperatorSession.seen_at <= now - MAX_IDLE,
                )
            )
        )
