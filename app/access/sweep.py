"""Deletes links and sessions that are no longer valid."""

from sqlalchemy import delete, or_

from app.access.models import OperatorSession, SignInLink
from app.access.sessions import MAX_AGE, MAX_IDLE
from app.clock import Clock
from app.db.engine import SessionFactory


async def sweep(sessions: SessionFactory, clock: Clock) -> None:
    """Delete what has expired. There are few links and sessions, so one statement each does."""
    now = clock.now()
    async with sessions.begin() as session:
        await session.execute(delete(SignInLink).where(SignInLink.expires_at <= now))
        await session.execute(
            delete(OperatorSession).where(
                or_(
                    OperatorSession.started_at <= now - MAX_AGE,
                    OperatorSession.seen_at <= now - MAX_IDLE,
                )
            )
        )
