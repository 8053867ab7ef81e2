"""The schedule `funnel.count`: counts what happened since it last ran.

Marks are written by the database functions `oa_bridge_callback_marked`, `oa_bridge_reply_marked`
and `oa_bridge_notice_marked`, which the triggers `oa_bridge_callback_late`, `oa_bridge_reply_sent`
and `oa_bridge_notice_sent` call. The function `oa_bridge_settled_callback` says how far callbacks
can be counted without missing one, and `oa_bridge_first_id` which id that time has.

Whoever changes the tables of this package, but for the marks, holds the row of `funnel_progress`.
A transaction of the schedule is short, since an erasure waits for it, and pushes of the person wait
for the erasure.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Result, delete, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.engine import SessionFactory
from app.events.store import settled_position
from app.funnel import cohorts_sql, touches_sql
from app.funnel.make_sums import make_sums
from app.funnel.models import FunnelMark, FunnelProgress
from app.funnel.progress import Sums, lock_unless_locked, sums_of
from app.funnel.recount_campaigns import note_changes, recount_some
from app.funnel.steps import Basis

BATCH: Final = 1_000
MAX_ROUNDS: Final = 100
# Days of touches that one run counts again for changed campaigns.
MAX_PARTS: Final = 1_000


async def count(sessions: SessionFactory, basis: Basis, batch: int = BATCH) -> None:
    """Count what has arrived, some of it at a time, the oldest first."""
    if not await make_sums(sessions, basis):
        return
    for _ in range(MAX_ROUNDS):
        async with sessions.begin() as session:
            settled = await session.scalar(_SETTLED)
            position = await settled_position(session)
            progress = await lock_unless_locked(session)
            if progress is None:
                return
            await note_changes(session)
            if not await _count_some(session, progress, settled, position, batch):
                break
    for _ in range(MAX_PARTS):
        async with sessions.begin() as session:
            progress = await lock_unless_locked(session)
            if progress is None or not await recount_some(session, sums_of(progress)):
                return
            for statement in DELETE_EMPTY:
                await session.execute(statement)


async def _count_some(
    session: AsyncSession,
    progress: FunnelProgress,
    settled: datetime,
    position: int,
    batch: int,
) -> bool:
    """Count one batch of each kind; return whether more may wait.

    An arrival adds to the touch that led to it, which has to be counted before. So arrivals are
    looked at first and counted last: whatever led to those that are there is there too.
    """
    sums = sums_of(progress)
    reached = await session.scalar(_LAST_ARRIVAL)
    more = [
        await _count_marks(session, sums, batch),
        await _count_callbacks(session, progress, sums, settled, batch),
        await _count_history(session, progress, position, batch),
    ]
    if reached is not None and not more[0]:
        more.append(await _count_arrivals(session, progress, sums, reached, batch))
    for statement in DELETE_EMPTY:
        await session.execute(statement)
    return any(more)


async def _count_marks(session: AsyncSession, sums: Sums, batch: int) -> bool:
    oldest = select(FunnelMark.id).order_by(FunnelMark.id).limit(batch)
    found = await session.execute(
        delete(FunnelMark)
        .where(FunnelMark.id.in_(oldest))
        .returning(FunnelMark.kind, FunnelMark.touch_id)
    )
    marks = found.all()
    pushes = sorted({mark.touch_id for mark in marks if mark.kind == "push"})
    notices = sorted({mark.touch_id for mark in marks if mark.kind == "notice"})
    if pushes:
        bound = {"ids": pushes, **sums.parameters}
        await session.execute(touches_sql.MARKED_PUSHES, bound)
        await session.execute(touches_sql.SENT_LATER, bound)
        await _count_cohorts(session, await session.execute(_SENDERS, bound))
    if notices:
        await session.execute(touches_sql.NOTICES, {"ids": notices, **sums.parameters})
    return len(marks) == batch


async def _count_callbacks(
    session: AsyncSession, progress: FunnelProgress, sums: Sums, settled: datetime, batch: int
) -> bool:
    next_ones = {"since": progress.callback_id, "settled": settled, "batch": batch}
    until, last = (await session.execute(_NEXT_CALLBACKS, next_ones)).one()
    if until <= progress.callback_id:
        return False
    those = {"since": progress.callback_id, "until": until}
    await session.execute(touches_sql.PUSHES, {**those, **sums.parameters})
    await _count_cohorts(session, await session.execute(_WRITERS, those))
    progress.callback_id = until
    progress.counted_until = last or settled
    return last is not None


async def _count_history(
    session: AsyncSession, progress: FunnelProgress, settled: int, batch: int
) -> bool:
    """Count follows and UnionIDs for the cohorts."""
    bound = {"after": progress.position, "settled": settled, "batch": batch}
    last = await session.scalar(_LAST_POSITION, bound)
    upto = max(settled if last is None else last, progress.position)
    if upto > progress.position:
        bound = {"after": progress.position, "upto": upto}
        await _count_cohorts(session, await session.execute(_CHANGED_PEOPLE, bound))
        progress.position = upto
    return last is not None


async def _count_arrivals(
    session: AsyncSession, progress: FunnelProgress, sums: Sums, reached: int, batch: int
) -> bool:
    """Count arrivals up to the first one of a push that is not counted yet."""
    after = progress.arrival_position
    next_ones = {"after": after, "upto": reached, "batch": batch, "cursor": progress.callback_id}
    upto, found = (await session.execute(_NEXT_ARRIVALS, next_ones)).one()
    if upto is None:
        return False
    bound: dict[str, object] = {"after": after, "upto": upto, **sums.parameters}
    for statement in (touches_sql.REPORTS, touches_sql.LAUNCHES, touches_sql.CONVERSIONS):
        await session.execute(statement, bound)
    progress.arrival_position = upto
    await _count_cohorts(session, await session.execute(_ARRIVED, {"after": after, "upto": upto}))
    return bool(found == batch)


async def _count_cohorts(session: AsyncSession, people: Result[Any]) -> None:
    """Make the rows of these people again. people: rows of AppID and OpenID."""
    rows = [(row.appid, row.openid) for row in people]
    if rows:
        await count_members(session, rows)


async def count_members(session: AsyncSession, people: Sequence[tuple[str, str]]) -> None:
    """Make the rows of cohorts of these people again, from what is stored now."""
    await session.flush()
    await session.execute(
        cohorts_sql.COUNT,
        {
            "appids": [row[0] for row in people],
            "openids": [row[1] for row in people],
            "reports": await session.scalar(_REPORTS_COUNTED),
        },
    )


_SETTLED = text("SELECT oa_bridge_settled_callback()")
DELETE_EMPTY = [
    text("DELETE FROM funnel_days WHERE received = 0 AND sent = 0 AND opened = 0"),
    text("DELETE FROM funnel_pairs WHERE people = 0"),
    text("DELETE FROM funnel_month_pairs WHERE people = 0"),
]
_SENDERS = text(
    "SELECT appid, openid FROM callbacks WHERE id = ANY(CAST(:ids AS uuid[])) AND event IS NULL"
)
_WRITERS = text(
    """
    SELECT DISTINCT c.appid, c.openid FROM callbacks c
    WHERE c.id >= :since AND c.id < :until AND c.event IS NULL
    """
)
# The id after the batch, and its time; NULL if the batch is the last.
_NEXT_CALLBACKS = text(
    """
    SELECT COALESCE(next.id, oa_bridge_first_id(:settled)) AS until, next.received_at
    FROM (SELECT) AS one LEFT JOIN LATERAL (
        SELECT id, received_at FROM callbacks
        WHERE id >= :since AND id < oa_bridge_first_id(:settled)
        ORDER BY id OFFSET :batch LIMIT 1
    ) AS next ON true
    """
)
_LAST_POSITION = text(
    """
    SELECT max(position) FROM (
        (SELECT position FROM follow_events WHERE position > :after AND position <= :settled
         ORDER BY position LIMIT :batch)
        UNION ALL
        (SELECT position FROM identity_events WHERE position > :after AND position <= :settled
         ORDER BY position LIMIT :batch)
        ORDER BY position LIMIT :batch
    ) AS next HAVING count(*) = :batch
    """
)
_CHANGED_PEOPLE = text(
    """
    SELECT appid, openid FROM follow_events
    WHERE position > :after AND position <= :upto AND action IN ('follow', 'unfollow')
    UNION
    SELECT appid, openid FROM identity_events WHERE position > :after AND position <= :upto
    """
)
_NEXT_ARRIVALS = text(
    """
    SELECT max(position) FILTER (WHERE held = 0) AS upto, count(*) FILTER (WHERE held = 0) AS found
    FROM (
        SELECT position, count(*) FILTER (WHERE callback_id >= :cursor)
                             OVER (ORDER BY position) AS held
        FROM (
            SELECT position, callback_id FROM arrivals
            WHERE position > :after AND position <= :upto ORDER BY position LIMIT :batch
        ) AS batch
    ) AS next
    """
)
_LAST_ARRIVAL = text("SELECT max(position) FROM arrivals")
_REPORTS_COUNTED = text("SELECT arrival_position FROM funnel_progress")
_ARRIVED = text(
    """
    SELECT account AS appid, recipient AS openid FROM arrivals
    WHERE position > :after AND position <= :upto AND recipient IS NOT NULL
    UNION
    SELECT f.appid, f.openid FROM arrivals a JOIN followers f ON f.unionid = a.unionid
    WHERE a.position > :after AND a.position <= :upto
    """
)
