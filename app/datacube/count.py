"""Counts the pushes of each day that is over, as WeChat counts days.

They are read in the order of their ids, which is that of their arrival. A day is counted shortly
after its end, and twice again for pushes that the spool of a process still held.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.clock import Clock
from app.datacube import push_store
from app.datacube.days import end_of, start_of
from app.datacube.due_days import count_due_days
from app.datacube.models import PushDay
from app.datacube.silence import HOURS, MAX_DAYS, Burst, silences
from app.db.engine import SessionFactory
from app.first_id import first_id
from app.settings import Settings

# Ids are drawn by the clock of a process, and CreateTime is by WeChat's; WeChat tries for seconds.
SLACK: Final = timedelta(hours=1)
# Of an account without counted days, so many earlier pushes of all accounts are searched.
MAX_SEARCHED: Final = 100_000
# Pushes within one slot are no further apart than this; a silence is far longer.
SLOT: Final = timedelta(minutes=5)


@dataclass(slots=True)
class _Counted:
    """What was counted of one account on one day."""

    kinds: dict[str, int] = field(default_factory=dict)
    qr_follows: int = 0
    refused: int = 0
    hours: list[int] = field(default_factory=lambda: [0] * HOURS)
    bursts: list[Burst] = field(default_factory=list)


def receiving_accounts(settings: Settings) -> list[str]:
    """Return the AppIDs of the Official Accounts that receive pushes."""
    return [one.appid for one in settings.accounts.values() if one.kind == "oa" and one.receives]


async def count_due(sessions: SessionFactory, clock: Clock, settings: Settings) -> None:
    """Count the pushes of the days that are due."""
    await count_due_days(sessions, PushDay, receiving_accounts(settings), clock.now(), count_day)


async def count_day(session: AsyncSession, appids: Sequence[str], day: date, now: datetime) -> None:
    """Count one day of these accounts, and store it."""
    counted = await _count(session, appids, day)
    earlier = await push_store.before(session, appids, day, MAX_DAYS)
    for appid in sorted(appids):
        found, past = counted[appid], earlier.get(appid, ())
        before = past[0].last_push_at if past else None
        if not past:
            before = await session.scalar(
                _EARLIER,
                {"appid": appid, "upper": first_id(start_of(day)), "most": MAX_SEARCHED},
            )
        last = found.bursts[-1].last if found.bursts else before
        quiet = silences(day, found.bursts, before, [one.hours for one in past if one.covered])
        await push_store.save(
            session,
            PushDay(
                appid=appid,
                day=day,
                covered=before is not None,
                follows=found.kinds.get("subscribe", 0),
                unfollows=found.kinds.get("unsubscribe", 0),
                qr_follows=found.qr_follows,
                texts=found.kinds.get("text", 0),
                images=found.kinds.get("image", 0),
                voices=found.kinds.get("voice", 0),
                videos=found.kinds.get("video", 0),
                links=found.kinds.get("link", 0),
                pushes=sum(found.kinds.values()),
                refused=found.refused,
                hours=found.hours,
                last_push_at=last,
                silences=[
                    [one.since.isoformat(), one.until.isoformat() if one.until else None]
                    for one in quiet
                ],
                counted_at=now,
            ),
        )


async def _count(session: AsyncSession, appids: Sequence[str], day: date) -> Mapping[str, _Counted]:
    start, end = start_of(day), end_of(day)
    bound: dict[str, Any] = {"appids": list(appids), "start": start, "end": end}
    ids = {"lower": first_id(start - SLACK), "upper": first_id(end + SLACK)}
    counted: defaultdict[str, _Counted] = defaultdict(_Counted)
    for appid, kind, number in await session.execute(_KINDS, {**bound, **ids}):
        counted[appid].kinds[kind] = number
    for appid, number in await session.execute(_QR_FOLLOWS, bound):
        counted[appid].qr_follows = number
    for appid, number in await session.execute(_REFUSED, bound):
        counted[appid].refused = number
    slots = {**bound, **ids, "seconds": SLOT.total_seconds()}
    for appid, slot, number, first, last in await session.execute(_SLOTS, slots):
        counted[appid].hours[slot * SLOT // timedelta(hours=1)] += number
        counted[appid].bursts.append(Burst(first, last))
    return counted


_KINDS: Final = text("""
SELECT appid, CASE WHEN msgtype = 'event' THEN event ELSE msgtype END AS kind, count(*)
FROM callbacks
WHERE id >= :lower AND id < :upper AND occurred_at >= :start AND occurred_at < :end
  AND appid = ANY(CAST(:appids AS text[]))
GROUP BY 1, 2
""")

_QR_FOLLOWS: Final = text("""
SELECT a.appid, (
    SELECT count(*) FROM follow_events f
    WHERE f.appid = a.appid AND f.action = 'follow' AND f.source = 'event'
      AND f.scene IS NOT NULL AND f.occurred_at >= :start AND f.occurred_at < :end
)
FROM unnest(CAST(:appids AS text[])) AS a(appid)
""")

_REFUSED: Final = text("""
SELECT appid, CAST(sum(count) AS bigint) FROM callback_refusals
WHERE appid = ANY(CAST(:appids AS text[])) AND hour >= :start AND hour < :end
GROUP BY appid
""")

_SLOTS: Final = text("""
SELECT appid, CAST(floor(extract(epoch FROM received_at - :start) / :seconds) AS int) AS slot,
       count(*), min(received_at), max(received_at)
FROM callbacks
WHERE id >= :lower AND id < :upper AND received_at >= :start AND received_at < :end
  AND appid = ANY(CAST(:appids AS text[]))
GROUP BY 1, 2 ORDER BY 1, 2
""")

_EARLIER: Final = text("""
SELECT received_at FROM (
    SELECT appid, received_at, id FROM callbacks WHERE id < :upper ORDER BY id DESC LIMIT :most
) AS newest
WHERE appid = :appid ORDER BY id DESC LIMIT 1
""")
