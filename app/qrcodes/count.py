"""The schedule `qrcodes.count`: counts what people did by each code since it last ran."""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.clock import Clock
from app.db.brief import brief_transaction
from app.db.engine import SessionFactory
from app.events.batch_end import last_of_batch
from app.events.models import FollowAction
from app.events.store import settled_position
from app.qrcodes import figures_store
from app.qrcodes.count_events import AFTER_BATCH, CARDS, EVENTS
from app.qrcodes.models import QrCode, QrCodeCount, QrCodeCursor

CURSOR: Final = 1
ACTIONS: Final = (FollowAction.FOLLOW, FollowAction.UNFOLLOW, FollowAction.SCAN)
# An erasure waits for a batch, and pushes of its person wait for the erasure.
BATCH: Final = 1000
MAX_BATCHES: Final = 200
# The transaction that notes that a card was sent is given up after five seconds, and the clocks of
# two machines differ.
CARDS_SETTLE: Final = timedelta(minutes=1)
SHORTEST_STEP: Final = timedelta(seconds=1)


async def count(sessions: SessionFactory, clock: Clock) -> None:
    """Count what has arrived. A run that is killed has counted whole batches alone."""
    for _ in range(MAX_BATCHES):
        async with brief_transaction(sessions) as session:
            if not await _count_events(session):
                break
    for _ in range(MAX_BATCHES):
        async with brief_transaction(sessions) as session:
            if not await _count_cards(session, clock.now() - CARDS_SETTLE):
                break


async def _count_events(session: AsyncSession) -> bool:
    """Count one batch; return whether more may wait."""
    cursor = await session.get_one(QrCodeCursor, CURSOR, with_for_update=True)
    # Read with the row locked: what an erasure has counted meanwhile has no scene any more.
    settled = await settled_position(session)
    if settled <= cursor.position:
        return False
    appids = list(await session.scalars(select(QrCodeCount.appid).distinct()))
    bounds = {"appids": appids, "after": cursor.position}
    last = await last_of_batch(
        session, appids, ACTIONS, after=cursor.position, upto=settled, batch=BATCH
    )
    upto = settled if last is None else last
    found = await session.execute(EVENTS, {**bounds, "upto": upto})
    await figures_store.add(session, found.all())
    cursor.position = upto
    return last is not None


async def _count_cards(session: AsyncSession, settled: datetime) -> bool:
    """Count one batch of cards; return whether more may wait."""
    cursor = await session.get_one(QrCodeCursor, CURSOR, with_for_update=True)
    after = cursor.cards_until or await session.scalar(select(func.min(QrCode.created_at)))
    if after is None or settled <= after:
        return False
    bounds = {"cards_after": after, "settled": settled, "batch": BATCH}
    last = await session.scalar(AFTER_BATCH, bounds)
    until = settled if last is None else min(max(last, after + SHORTEST_STEP), settled)
    found = await session.execute(CARDS, {"cards_after": after, "cards_until": until})
    await figures_store.add(session, found.all())
    cursor.cards_until = until
    return until < settled
