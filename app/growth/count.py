"""Counts events into the sums, and corrects the sums of people of whom something changed.

The rows of `counted_follow_events` and `counted_hows` are written by the database functions
`oa_bridge_follow_event_changed` and `oa_bridge_how_changed`, which the triggers
`oa_bridge_follow_event_updated`, `oa_bridge_follow_event_deleted`, `oa_bridge_how_inserted`,
`oa_bridge_how_updated` and `oa_bridge_how_deleted` call.

Whoever changes the sums holds the row of `growth_progress`; nobody waits for anything while holding
it. One statement computes the correction, applies it, and deletes the rows that it is computed
from, so all of that is of one state of the database.
"""

from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.engine import SessionFactory
from app.growth.correction import changed_people, correction
from app.tombstones.subject import ErasureSubject

# Events of one transaction, and transactions of one run: after an upgrade the next runs go on.
MAX_EVENTS: Final = 5_000
MAX_ROUNDS: Final = 20


async def count_new(sessions: SessionFactory, max_events: int = MAX_EVENTS) -> None:
    """Every minute: count the events that are settled, the oldest first."""
    for _ in range(MAX_ROUNDS):
        async with sessions.begin() as session:
            if not await _count_some(session, max_events):
                return


async def correct(session: AsyncSession, person: ErasureSubject) -> None:
    """Correct the sums of a person who was erased; keep nothing of what was counted before.

    To be called at the end of the transaction of the erasure, which then holds the sums.
    """
    bound = {"appid": person.appid, "openids": [person.openid, person.pseudonym]}
    if await session.scalar(_IS_CHANGED, bound):
        counted = await session.scalar(_LOCK)
        await session.execute(_CORRECT, {**bound, "counted": counted})
        await session.execute(_DELETE_EMPTY)


async def _count_some(session: AsyncSession, max_events: int) -> bool:
    """Count the next events; return whether there are more."""
    settled = await session.scalar(_SETTLED)
    counted = await session.scalar(_LOCK_UNLESS_LOCKED)
    if counted is None:
        return False
    bound = {"counted": counted, "settled": settled, "most": max_events}
    last = await session.scalar(_LAST, bound)
    newest = max(settled if last is None else last, counted)
    await session.execute(_COUNT, {"counted": counted, "newest": newest})
    await session.execute(_DELETE_EMPTY)
    return last is not None


_SETTLED = text("SELECT oa_bridge_settled_position()")
_LOCK = text("SELECT position FROM growth_progress FOR UPDATE")
_LOCK_UNLESS_LOCKED = text("SELECT position FROM growth_progress FOR UPDATE SKIP LOCKED")
_LAST = text(
    """
    SELECT position FROM follow_events WHERE position > :counted AND position <= :settled
    ORDER BY position OFFSET :most - 1 LIMIT 1
    """
)
_IS_CHANGED = text(
    """
    SELECT EXISTS (SELECT FROM counted_follow_events
                   WHERE appid = :appid AND openid = ANY(CAST(:openids AS text[])))
        OR EXISTS (SELECT FROM counted_hows
                   WHERE appid = :appid AND openid = ANY(CAST(:openids AS text[])))
    """
)

_APPLY: Final = """
    quarter AS (
        INSERT INTO growth_quarters AS q (appid, quarter, new, lost)
        SELECT appid, date_bin('15 minutes', occurred_at, TIMESTAMPTZ '2000-01-01 00:00+00'),
               sum(new), sum(lost)
        FROM correction GROUP BY 1, 2 HAVING (sum(new), sum(lost)) <> (0, 0)
        ON CONFLICT (appid, quarter) DO UPDATE SET
            new = q.new + EXCLUDED.new, lost = q.lost + EXCLUDED.lost
    ), day AS (
        INSERT INTO growth_days AS d (appid, day, kind, label_digest, label, new, lost, net)
        SELECT c.appid, CAST(c.occurred_at AT TIME ZONE 'UTC' + interval '8 hours' AS date),
               k.kind, COALESCE(sha256(convert_to(k.label, 'UTF8')), ''), k.label,
               sum(c.new), sum(c.lost), sum(c.net)
        FROM correction c
        CROSS JOIN LATERAL (VALUES ('scene', c.scene), ('qr_scene', c.qr_scene)) AS k(kind, label)
        GROUP BY 1, 2, 3, 5 HAVING (sum(c.new), sum(c.lost), sum(c.net)) <> (0, 0, 0)
        ON CONFLICT (appid, day, kind, label_digest) DO UPDATE SET
            new = d.new + EXCLUDED.new, lost = d.lost + EXCLUDED.lost, net = d.net + EXCLUDED.net
    ), event_image AS (
        DELETE FROM counted_follow_events c USING person
        WHERE c.appid = person.appid AND c.openid = person.openid
    ), how_image AS (
        DELETE FROM counted_hows c USING person
        WHERE c.appid = person.appid AND c.openid = person.openid
    )
"""

_COUNT = text(
    f"""
    WITH person AS MATERIALIZED (
        {changed_people("position > :counted AND position <= :newest")}
    ), {correction(":counted", ":newest")}, {_APPLY}
    UPDATE growth_progress SET position = :newest WHERE position <> :newest
    """  # noqa: S608 - constants of this package
)
_CORRECT = text(
    f"""
    WITH person AS MATERIALIZED (
        SELECT CAST(:appid AS text) AS appid, openid
        FROM unnest(CAST(:openids AS text[])) AS t(openid)
    ), {correction(":counted", ":counted")}, {_APPLY}
    SELECT
    """  # noqa: S608 - constants of this package
)
_DELETE_EMPTY = text("DELETE FROM growth_days WHERE (new, lost, net) = (0, 0, 0)")
