"""Makes the sums of all touches again, after the time zone or a window has changed.

Of many touches that takes minutes, in which nobody may wait: an erasure locks the row of
`funnel_progress`, and pushes of the person wait for the erasure. So the touches are summed as one
snapshot shows them, without that lock, and whoever changes touches meanwhile writes the difference
into tables of their own. What the snapshot has of these is part of the sums, so it is deleted
with it; the rest is added at the end. Until then figures are read from the touches.
"""

import math
from typing import Final

import asyncpg
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.engine import SessionFactory
from app.db.queue import raw_connection
from app.funnel.models import FunnelProgress
from app.funnel.progress import lock, lock_unless_locked, making_basis, note_basis, sums_basis
from app.funnel.steps import Basis
from app.funnel.sums_sql import ADD_CHANGES, SUM_DOORS

# The sums of ten million touches are made in minutes. For each statement, of which the engine
# would not wait for the end.
STATEMENT_SECONDS: Final = 3_600
# Doors are summed in so many parts that one has about so many touches: what the database sorts
# stays within some hundred megabytes.
TOUCHES_OF_PART: Final = 500_000
MAX_PARTS: Final = 64


async def make_sums(sessions: SessionFactory, basis: Basis) -> bool:
    """Make the sums by this basis unless they are; return whether they are now.

    False: another worker makes them, or changes the tables at the moment.
    """
    async with sessions.begin() as session:
        progress = await lock_unless_locked(session)
        if progress is None:
            return False
        if sums_basis(progress) == basis:
            return True
        await begin(session, progress, basis)
    if not await sum_touches(sessions, basis):
        return False
    async with sessions.begin() as session:
        return await finish(session, basis)


async def begin(session: AsyncSession, progress: FunnelProgress, basis: Basis) -> None:
    """Say that the sums are being made; from now on changes are noted apart."""
    if sums_basis(progress) is None and making_basis(progress) == basis:
        return
    note_basis(progress, made=None, making=basis)
    for statement in _FORGET_CHANGES:
        await session.execute(text(statement))


async def sum_touches(sessions: SessionFactory, basis: Basis) -> bool:
    """Sum all touches in one transaction; return False if another worker does so."""
    async with sessions.begin() as session:
        await session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
        if not await session.scalar(_ALONE):
            return False
        for setting in _FOR_ALL_TOUCHES:
            await session.execute(setting)
        raw = await raw_connection(session)
        for statement in (*_EMPTY, *_FORGET_CHANGES):
            await raw.execute(statement, timeout=STATEMENT_SECONDS)
        parts = await _parts(raw)
        for part in range(parts):
            values = (*basis.parameters.values(), parts, part)
            await raw.execute(_SUM_DOORS_DIRECTLY, *values, timeout=STATEMENT_SECONDS)
    return True


async def finish(session: AsyncSession, basis: Basis) -> bool:
    """Add what changed since the touches were summed; return whether the sums are made.

    False: the settings of another worker ask for others.
    """
    progress = await lock(session)
    if sums_basis(progress) is not None or making_basis(progress) != basis:
        return sums_basis(progress) == basis
    for statement in (*ADD_CHANGES, *_FORGET_CHANGES):
        await session.execute(text(statement))
    note_basis(progress, made=basis, making=None)
    return True


async def _parts(raw: asyncpg.Connection) -> int:
    touches: float = await raw.fetchval(_ESTIMATE)
    return min(MAX_PARTS, max(1, math.ceil(touches / TOUCHES_OF_PART)))


# For the driver itself: the engine gives up a statement much sooner.
_SUM_DOORS_DIRECTLY = SUM_DOORS
for _number, _name in enumerate((*Basis("", 0, 0).parameters, "parts", "part"), 1):
    _SUM_DOORS_DIRECTLY = _SUM_DOORS_DIRECTLY.replace(f":{_name}", f"${_number}")
# Each part reads all touches: one after the other, and not by an index in the order of people, who
# have theirs all over the table. A part is sorted in memory.
_FOR_ALL_TOUCHES: Final = (
    text("SET LOCAL enable_indexscan = off"),
    text("SET LOCAL work_mem = '128MB'"),
)
_ALONE: Final = text("SELECT pg_try_advisory_xact_lock(hashtextextended('funnel.make_sums', 0))")
_ESTIMATE: Final = "SELECT reltuples FROM pg_class WHERE oid = 'funnel_touches'::regclass"
_EMPTY: Final = (
    "DELETE FROM funnel_days",
    "DELETE FROM funnel_pairs",
    "DELETE FROM funnel_month_pairs",
)
_FORGET_CHANGES: Final = (
    "DELETE FROM funnel_day_changes",
    "DELETE FROM funnel_pair_changes",
    "DELETE FROM funnel_month_pair_changes",
)
