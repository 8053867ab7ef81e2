"""Histories of follows: stored as the service stores them, and reckoned slowly, one by one."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

import asyncpg
from uuid_utils.compat import uuid7

from app.db.engine import SessionFactory
from app.events import erase as events
from app.stats.date_range import DateRange
from app.tombstones.subject import PREFIX, ErasureSubject
from tests.service import APPID

STORE = """
INSERT INTO follow_events (id, appid, openid, action, scene, occurred_at)
SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::timestamptz[])
"""
CLEAR = """
TRUNCATE follow_events, followers, growth_quarters, growth_days, counted_follow_events,
         counted_hows;
UPDATE growth_progress SET position = 0;
"""
STATES = """
INSERT INTO followers (appid, openid, following, scene, how, last_at, last_id)
SELECT DISTINCT ON (appid, openid) appid, openid, action = 'follow',
       (SELECT scene FROM follow_events f WHERE f.appid = e.appid AND f.openid = e.openid
        AND f.action = 'follow' ORDER BY f.occurred_at DESC, f.id DESC LIMIT 1),
       'by-' || right(openid, 1), occurred_at, id
FROM follow_events e WHERE action <> 'scan'
ORDER BY appid, openid, occurred_at DESC, id DESC
"""

Row = tuple[int, int, int, float | None]


@dataclass(frozen=True, slots=True)
class Happened:
    """One event of a person, in the order of arrival."""

    openid: str
    action: str
    at: datetime
    scene: str | None = None
    appid: str = APPID
    erased: bool = False

    @property
    def how(self) -> str | None:
        """What `followers.how` says of this person."""
        return None if self.erased else f"by-{self.openid[-1]}"


Erasures = Mapping[tuple[str, str], datetime]
EVER = datetime(9999, 1, 1, tzinfo=UTC)
LAST_ID = UUID(int=2**128 - 1)


async def erase(sessions: SessionFactory, erasures: Erasures) -> None:
    """Erase people as far as a moment, as the last step of the job does it."""
    for (appid, openid), until in erasures.items():
        person = ErasureSubject(appid, openid, until, LAST_ID, f"{PREFIX}{openid}", {})
        async with sessions.begin() as session:
            returned = await events.has_returned(session, person)
            contents = person if returned else replace(person, until=EVER)
            await events.erase_contents(session, contents)
            await events.erase_identity(session, person, returned=returned)


def as_erased(history: Sequence[Happened], erasures: Erasures) -> list[Happened]:
    """Return the same history with nobody in it who was erased: slowly, one by one."""
    told = [one for one in history if (one.appid, one.openid) not in erasures]
    for (appid, openid), until in erasures.items():
        life = [
            one
            for one in history
            if (one.appid, one.openid) == (appid, openid) and one.action != "scan"
        ]
        life.sort(key=lambda one: one.at)
        before = [one for one in life if one.at <= until]
        since = life[len(before) :]
        if not since or life[-1].action == "unfollow":  # not back
            before, since = life, []
        if before and since and before[-1].action == "follow":
            if since[0].action == "unfollow":
                before.append(since.pop(0))
            else:
                before.append(Happened(openid, "unfollow", since[0].at, appid=appid))
        gone = [replace(one, openid=f"{PREFIX}{openid}", scene=None, erased=True) for one in before]
        told += [*gone, *since]
    return told


async def store(connection: asyncpg.Connection, history: Sequence[Happened]) -> None:
    """Let this be all that ever happened."""
    await connection.execute(CLEAR)
    await connection.execute(
        STORE,
        [uuid7() for _ in history],
        [one.appid for one in history],
        [one.openid for one in history],
        [one.action for one in history],
        [one.scene for one in history],
        [one.at for one in history],
    )
    await connection.execute(STATES)


@dataclass(slots=True)
class Tally:
    """start, new and lost of one label."""

    start: int = 0
    new: int = 0
    lost: int = 0

    def row(self) -> Row:
        """Return start, new, lost and the churn rate."""
        return (self.start, self.new, self.lost, self.lost / self.start if self.start > 0 else None)


class Reference:
    """The figures of a span, by a walk through every person's life."""

    def __init__(self, history: Sequence[Happened], span: DateRange) -> None:
        self.days: dict[date, Tally] = {day: Tally() for day in span.days}
        self.scenes: defaultdict[str | None, Tally] = defaultdict(Tally)
        self.qr_scenes: defaultdict[str | None, Tally] = defaultdict(Tally)
        self._span = span
        self._zone = ZoneInfo(span.time_zone)
        self._start = 0
        people: defaultdict[tuple[str, str], list[Happened]] = defaultdict(list)
        for one in history:
            if one.action != "scan":
                people[one.appid, one.openid].append(one)
        for life in people.values():
            self._walk(sorted(life, key=lambda one: one.at))
        followers = self._start
        for tally in self.days.values():
            tally.start = followers
            followers += tally.new - tally.lost

    def _walk(self, life: list[Happened]) -> None:
        following, scene = life[0].action == "unfollow", None
        counted_at_start = False
        for one in life:
            day = one.at.astimezone(self._zone).date()
            if day >= self._span.since and not counted_at_start:
                counted_at_start = True
                self._stand(one.how, scene, following=following)
            follows = one.action == "follow"
            if follows != following and self._span.since <= day <= self._span.until:
                qr_scene = one.scene if follows else scene
                tallies = (self.days[day], self.scenes[one.how], self.qr_scenes[qr_scene])
                for tally in tallies:
                    tally.new += follows
                    tally.lost += not follows
            following, scene = follows, one.scene if follows else scene
        if not counted_at_start:
            self._stand(life[-1].how, scene, following=following)

    def _stand(self, how: str | None, scene: str | None, *, following: bool) -> None:
        if following:
            self._start += 1
            self.scenes[how].start += 1
            self.qr_scenes[scene].start += 1
