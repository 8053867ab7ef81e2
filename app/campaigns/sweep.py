"""Deletes what is left of deleted campaigns, and forgets who had the codes of old ones."""

from datetime import timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.campaigns import erase_invitations
from app.campaigns.invite import end_renewal
from app.campaigns.models import Campaign
from app.clock import Clock
from app.codes import erase, import_store
from app.codes.delete import BATCH, delete_some
from app.db.engine import SessionFactory

# A run does at most so much; the next one is a minute later.
MAX_BATCHES: Final = 20


async def sweep(sessions: SessionFactory, clock: Clock, kept_for: timedelta) -> None:
    """Do what is due. kept_for: how long after its end a campaign knows who has which code."""
    await import_store.sweep(sessions, clock)
    async with sessions.begin() as session:
        await end_renewal(session, clock.now())
    for _ in range(MAX_BATCHES):
        async with sessions.begin() as session:
            if not await _delete_some(session):
                break
    for _ in range(MAX_BATCHES):
        async with sessions.begin() as session:
            if not await _forget_some(session, clock, kept_for):
                break


async def _delete_some(session: AsyncSession) -> bool:
    """Delete some codes of one deleted campaign, at last its row; tell whether there was one."""
    found: UUID | None = await session.scalar(
        select(Campaign.id)
        .where(Campaign.deleted_at.is_not(None))
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    if found is None:
        return False
    deleted = await delete_some(session, found)
    if max(deleted, await erase_invitations.delete_some(session, found, BATCH)) < BATCH:
        await session.execute(delete(Campaign).where(Campaign.id == found))
    return True


async def _forget_some(session: AsyncSession, clock: Clock, kept_for: timedelta) -> bool:
    now = clock.now()
    found: UUID | None = await session.scalar(
        select(Campaign.id)
        .where(Campaign.ends_at < now - kept_for, Campaign.forgotten_at.is_(None))
        .order_by(Campaign.ends_at)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    if found is None:
        return False
    forgotten = await erase.forget_holders(session, found, BATCH)
    if max(forgotten, await erase_invitations.forget(session, found, BATCH)) < BATCH:
        await session.execute(update(Campaign).where(Campaign.id == found).values(forgotten_at=now))
    return True
