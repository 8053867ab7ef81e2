"""Deletes firings whose cooldown is over, because nothing reads them any more."""

from typing import Final

from sqlalchemy import delete, select, tuple_

from app.clock import Clock
from app.db.engine import SessionFactory
from app.rules.models import RuleFiring

SWEEP_LIMIT: Final = 5000


async def sweep(sessions: SessionFactory, clock: Clock) -> None:
    """Delete up to SWEEP_LIMIT expired firings; those that a callback has locked are skipped."""
    key = (RuleFiring.appid, RuleFiring.openid, RuleFiring.rule_id)
    expired = (
        select(*key)
        .where(RuleFiring.expires_at <= clock.now())
        .order_by(RuleFiring.expires_at)
        .limit(SWEEP_LIMIT)
        .with_for_update(skip_locked=True)
    )
    async with sessions.begin() as session:
        await session.execute(delete(RuleFiring).where(tuple_(*key).in_(expired)))
