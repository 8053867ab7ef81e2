"""The rows of cohorts give what a walk through the lives of all followers gives."""

from collections import defaultdict
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from app.callback import erase as inbox
from app.db.engine import Database, SessionFactory
from app.events import erase as events
from app.funnel import count as counting
from app.funnel import erase as funnel
from app.funnel.cohorts_sql import AGES
from app.funnel.count import count
from app.funnel.steps import Basis
from app.stats import cohort_store
from app.stats.cohort_store import CohortBy, CohortCounts
from app.stats.date_range import DateRange
from app.tombstones.subject import PREFIX, ErasureSubject
from tests.funnel.test_sums import begin
from tests.funnel.world import START, World
from tests.service import APPID
from tests.stats.histories import LAST_ID

DAY = 86_400
EVENTS = {"follow": "subscribe", "leave": "unsubscribe", "scan": "SCAN", "text": None}
KINDS = ("follow", "follow", "leave", "leave", "text", "scan", "launch", "conversion")
HOURS = (-200, -24, 0, 1, 23, 24, 25, 7 * 24, 7 * 24 + 1, 30 * 24 + 1, 90 * 24 - 1, 91 * 24 + 1)


@dataclass(frozen=True, slots=True)
class Happens:
    """One thing that happens to a person."""

    kind: str
    openid: str
    hour: int
    scene: str | None


happenings = st.lists(
    st.builds(
        Happens,
        kind=st.sampled_from((*KINDS, "erase")),
        openid=st.sampled_from(("o1", "o2")),
        hour=st.sampled_from(HOURS),
        scene=st.sampled_from((None, "a", "b")),
    ),
    min_size=3,
    max_size=12,
)


@dataclass(slots=True)
class Stay:
    """A new follow, and what came of it: seconds after it."""

    followed_at: datetime
    scene: str | None
    left: int | None = None
    others: dict[str, int] = field(default_factory=dict)


def stays_of(world: World, openid: str) -> list[Stay]:
    """Return the stays of a person, one after the other."""
    found: list[Stay] = []
    following: bool | None = None
    life = sorted(one for one in world.follows if one[0] == openid)
    for _, at, action, scene in life:
        if action == "follow" and following is not True:
            found.append(Stay(at, scene))
        elif action == "unfollow" and following is True:
            found[-1].left = _seconds(at, found[-1].followed_at)
        following = action == "follow"
    told = [(one[1], "wrote") for one in world.texts if one[0] == openid]
    told += [(at, kind) for person, at, kind in world.reports if person == openid]
    for number, stay in enumerate(found):
        ends = [stay.followed_at + timedelta(days=91)]
        ends += [one.followed_at for one in found[number + 1 :]]
        for at, kind in told:
            if stay.followed_at <= at < min(ends):
                after = _seconds(at, stay.followed_at)
                stay.others[kind] = min(after, stay.others.get(kind, after))
    return found


def _seconds(at: datetime, since: datetime) -> int:
    return int((at - since).total_seconds())


Row = tuple[int, list[int], list[int], list[int], list[int]]


def table(stays: list[Stay], days: DateRange, by: CohortBy) -> dict[str, Row]:
    """Return the size and the figures of each cohort."""
    zone = ZoneInfo(days.time_zone)
    cohorts: defaultdict[str, list[Stay]] = defaultdict(list)
    for stay in stays:
        day = stay.followed_at.astimezone(zone).date()
        if days.since <= day <= days.until:
            cohorts[_label(stay, day, by)].append(stay)
    return {label: _figures(members) for label, members in cohorts.items()}


def _figures(members: list[Stay]) -> Row:
    def within(kind: str) -> list[int]:
        return [sum(one.others.get(kind, 10**9) < age * DAY for one in members) for age in AGES]

    stayed = [sum(one.left is None or one.left >= age * DAY for one in members) for age in AGES]
    return len(members), stayed, within("wrote"), within("launch"), within("conversion")


def _label(stay: Stay, day: date, by: CohortBy) -> str:
    if by is CohortBy.WEEK:
        return (day - timedelta(days=day.weekday())).isoformat()
    return stay.scene or ""


@dataclass(slots=True)
class Story:
    """Lets things happen. frozen: stays of which the scene was erased."""

    world: World
    sessions: SessionFactory
    frozen: list[Stay] = field(default_factory=list)
    scenes_erased: set[datetime] = field(default_factory=set)

    async def happen(self, one: Happens) -> None:
        """Let it happen."""
        world = self.world
        # Two events of a second have no order that the walk could know.
        at = START + timedelta(hours=one.hour, seconds=world.seconds)
        if one.kind in EVENTS:
            scene = one.scene if one.kind in {"follow", "scan"} else None
            await world.push(one.openid, at, EVENTS[one.kind], scene=scene)
        elif one.kind in {"launch", "conversion"}:
            touch = await world.push(one.openid, at, rule_id=1)
            assert touch is not None
            await world.report(touch, one.kind, 60)
        else:
            await self.erase(one.openid, at)

    async def erase(self, openid: str, until: datetime) -> None:
        """Erase the contents of a person, as when they leave."""
        await self.count()
        person = ErasureSubject(APPID, openid, until, LAST_ID, f"{PREFIX}{openid}", {})
        for stay in stays_of(self.world, openid):
            if stay.followed_at <= until and stay.followed_at not in self.scenes_erased:
                self.scenes_erased.add(stay.followed_at)
                if stay.left is not None and stay.scene is not None:
                    self.frozen.append(replace(stay, others=dict(stay.others)))
        async with self.sessions.begin() as session:
            await inbox.erase_contents(session, person, 1_000)
            await funnel.erase(session, person, of_identity=False)
            await events.erase_contents(session, person)
            await funnel.count_after_erasure(session, person)
        for number, (who, at, action, scene) in enumerate(self.world.follows):
            kept = None if who == openid and at <= until else scene
            self.world.follows[number] = (who, at, action, kept)

    async def count(self) -> None:
        """Run the schedule, as if all that has a lower id were committed."""
        settled = self.world.now + timedelta(seconds=1)
        counting._SETTLED = text(f"SELECT TIMESTAMPTZ '{settled.isoformat()}'")
        await count(self.sessions, Basis("UTC", 7, 30), 3)

    async def assert_exact(self, days: DateRange) -> None:
        """Hold the rows against the walk."""
        stays = [stay for openid in ("o1", "o2") for stay in stays_of(self.world, openid)]
        of_scene = [*(one for one in stays if one.scene is not None), *self.frozen]
        asked = [
            (CohortBy.WEEK, None, stays),
            (CohortBy.WEEK, "a", [one for one in of_scene if one.scene == "a"]),
            (CohortBy.QR_SCENE, None, of_scene),
        ]
        async with self.sessions() as session:
            for by, scene, members in asked:
                found, number = await cohort_store.read(session, [APPID], days, by, scene)
                assert {one.label: _row(one) for one in found} == table(members, days, by)
                assert number == len(found)


def _row(one: CohortCounts) -> Row:
    columns = (one.following, one.wrote, one.arrived, one.converted)
    first, second, third, fourth = map(list, columns)
    return one.size, first, second, third, fourth


@pytest.fixture(autouse=True)
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a test say what is settled."""
    monkeypatch.setattr(counting, "_SETTLED", counting._SETTLED)


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    history=happenings,
    zone=st.sampled_from(("Asia/Shanghai", "Atlantic/Azores", "Asia/Kathmandu")),
    first=st.integers(-9, 5),
    length=st.sampled_from((0, 7, 120)),
)
async def test_the_rows_give_what_a_walk_gives(
    history: list[Happens],
    zone: str,
    first: int,
    length: int,
    database: Database,
    connection: asyncpg.Connection,
) -> None:
    """Follows out of order, missed unfollows, erased scenes, reports, in any time zone."""
    story = Story((await begin(connection, database.sessions)).world, database.sessions)
    for one in history:
        await story.happen(one)
    await story.count()
    since = START.date() + timedelta(days=first)
    await story.assert_exact(DateRange(since, since + timedelta(days=length), zone))


async def test_a_stay_ends_with_the_next_one_and_a_report_that_is_left_out_counts_nowhere(
    database: Database, connection: asyncpg.Connection
) -> None:
    story = Story((await begin(connection, database.sessions)).world, database.sessions)
    days = DateRange(START.date(), START.date() + timedelta(days=40), "Asia/Shanghai")
    for kind, hour in (("follow", 0), ("leave", 30), ("follow", 400)):
        await story.happen(Happens(kind, "o1", hour, "a"))
    touch = await story.world.push("o1", START + timedelta(hours=1), "CLICK", rule_id=1)
    assert touch is not None
    await story.world.report(touch, "launch", 60, left_out=True)
    await story.count()
    await story.assert_exact(days)
    for kind, hour in (("text", 401), ("launch", 402), ("conversion", 403)):
        await story.happen(Happens(kind, "o1", hour, None))
    await story.count()
    await story.assert_exact(days)
