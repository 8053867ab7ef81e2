"""The figures of codes, against a slow reference, and through pushes, cards and erasures."""

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count as counting

import asyncpg
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from uuid_utils.compat import uuid7

from app.db.engine import Database
from app.events import erase as events
from app.qrcodes import count as qrcode_figures
from app.qrcodes.count import count
from app.qrcodes.erase import count_before_erasure
from app.tombstones.subject import ErasureSubject
from app.worker import Jobs
from tests.qrcodes.makers import added, follow, made, scan, unfollow
from tests.qrcodes.reference import Event, Key, Reference
from tests.service import OTHER_OPENID, Json, Service, WeChat, WorldClock, card, column

pytestmark = pytest.mark.asyncio
START = datetime(2026, 3, 1, 15, tzinfo=UTC)
# Around midnight in Shanghai, a day and a week.
HOURS = (-1, 0, 1, 2, 23, 24, 25, 26, 48, 167, 168, 169, 170, 192)
FIGURES = ("scans", "new_follows", "refollows", "left_in_day", "left_in_week", "cards")
CODES = ("a", "b")
_accounts = counting()
# Of all examples, since the row up to which cards are counted is, too.
_clock = WorldClock()


@dataclass(frozen=True)
class Arrives:
    """An event arrives."""

    person: int
    action: str
    scene: str | None
    hour: int


@dataclass(frozen=True)
class Erased:
    """The contents of a person are erased."""

    person: int
    hour: int


@dataclass(frozen=True)
class Card:
    """A card is sent in answer to an event that has arrived."""

    event: int


@dataclass(frozen=True)
class Counted:
    """The schedule runs. batch: how many events it takes at once."""

    batch: int


people, hours = st.integers(0, 1), st.sampled_from(HOURS)
scenes = st.sampled_from([*CODES, "a", "c", None])
arrivals = st.one_of(
    st.builds(Arrives, people, st.sampled_from(["follow", "follow", "scan"]), scenes, hours),
    st.builds(Arrives, people, st.just("unfollow"), st.none(), hours),
)
step = st.one_of(
    arrivals,
    arrivals,
    arrivals,
    st.builds(Erased, people, hours),
    st.builds(Card, st.integers(0, 9)),
    st.builds(Counted, st.integers(1, 4)),
)


FOLLOW, UNFOLLOW = Arrives(0, "follow", "a", 1), Arrives(0, "unfollow", None, 2)
ERASED = Erased(0, 2)


class World:
    """One account with two codes in the real database."""

    def __init__(self, connection: asyncpg.Connection, database: Database) -> None:
        self.connection, self.database = connection, database
        self.appid = f"wx{next(_accounts):016x}"
        self.clock = _clock
        self.ids: list[object] = []

    async def begin(self) -> None:
        """Add the codes."""
        await self.connection.execute(
            "INSERT INTO qrcode_counts (appid, kind, count) VALUES ($1, 'permanent', 2)", self.appid
        )
        for scene in CODES:
            await self.connection.execute(
                "INSERT INTO qrcodes (id, slug, name, appid, kind, scene, created_at, renew_at, "
                "attempts) VALUES ($1, $2, '', $3, 'permanent', $4, $5, $5, 0)",
                uuid7(),
                self.appid + scene,
                self.appid,
                scene,
                START,
            )

    async def arrive(self, event: Event) -> None:
        self.ids.append(uuid7())
        await self.connection.execute(
            "INSERT INTO follow_events (id, appid, openid, action, scene, occurred_at) "
            "VALUES ($1, $2, $3, $4, $5, $6)",
            self.ids[-1],
            self.appid,
            f"o{event.person}",
            event.action,
            event.scene,
            event.at,
        )

    async def card(self, number: int) -> datetime:
        self.clock.advance(timedelta(minutes=3))
        await self.connection.execute(
            "INSERT INTO replies (id, callback_id, position, appid, openid, via, msgtype, content, "
            "status, created_at, sent_at) VALUES ($1, $2, 0, $3, 'o', 'customer_service', "
            "'miniprogrampage', '{}', 'sent', $4, $4)",
            uuid7(),
            self.ids[number],
            self.appid,
            self.clock.now(),
        )
        return self.clock.now()

    async def erase(self, person: int, until: datetime) -> None:
        subject = ErasureSubject(self.appid, f"o{person}", until, uuid7(), "erased:x", {})
        async with self.database.sessions.begin() as session:
            await count_before_erasure(session, subject)
            await events.erase_contents(session, subject)

    async def count(self) -> None:
        self.clock.advance(timedelta(minutes=3))
        await count(self.database.sessions, self.clock)

    async def figures(self) -> Counter[Key]:
        """Return the figures by day, which the totals must agree with."""
        days = await self.connection.fetch(
            "SELECT scene, day, d.* FROM qrcode_days d JOIN qrcodes q ON q.id = d.qrcode_id "
            "WHERE appid = $1",
            self.appid,
        )
        found: Counter[Key] = Counter()
        for row in days:
            for figure in FIGURES:
                found[row["scene"], row["day"], figure] += row[figure]
        totals = await self.connection.fetch("SELECT * FROM qrcodes WHERE appid = $1", self.appid)
        for row in totals:
            for figure in FIGURES:
                by_day = sum(
                    number for key, number in found.items() if key[::2] == (row["scene"], figure)
                )
                assert row[figure] == by_day
        return +found


@settings(
    max_examples=50,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=st.lists(step, min_size=1, max_size=14))
@example(steps=[FOLLOW, Card(0), Counted(4), ERASED])
@example(steps=[FOLLOW, Card(0), ERASED, Counted(4)])
@example(steps=[FOLLOW, Counted(4), UNFOLLOW, ERASED])
@example(steps=[UNFOLLOW, FOLLOW, ERASED])
@example(steps=[FOLLOW, UNFOLLOW, Counted(1), ERASED, FOLLOW])
async def test_the_figures_are_those_of_the_slow_reference(
    steps: list[Arrives | Erased | Card | Counted],
    connection: asyncpg.Connection,
    database: Database,
) -> None:
    world = World(connection, database)
    await world.begin()
    reference = Reference(dict.fromkeys(CODES, START))
    with pytest.MonkeyPatch.context() as patch:
        for one in steps:
            match one:
                case Arrives():
                    at = START + timedelta(hours=one.hour)
                    event = Event(one.person, one.action, one.scene, at)
                    reference.arrive(event)
                    await world.arrive(Event(one.person, one.action, one.scene, at))
                case Erased():
                    until = START + timedelta(hours=one.hour)
                    reference.erase(one.person, until)
                    await world.erase(one.person, until)
                case Card() if one.event < len(world.ids):
                    reference.card(one.event, await world.card(one.event))
                case Counted():
                    patch.setattr(qrcode_figures, "BATCH", one.batch)
                    await world.count()
        await world.count()

    assert await world.figures() == reference.figures


async def test_pushes_are_counted_by_code_and_day(
    service: Service, jobs: Jobs, clock: WorldClock
) -> None:
    code = await added(service)
    other = await added(service, scene="store_0043")
    await service.push(follow(clock))
    await service.push(follow(clock, openid=OTHER_OPENID))
    clock.advance(timedelta(hours=20))
    await service.push(unfollow(clock))
    clock.advance(timedelta(hours=1))
    await service.push(follow(clock))
    await service.push(scan(clock, openid=OTHER_OPENID))
    await service.push(scan(clock, "store_9999"))
    for _ in range(2):
        await jobs.count_scans()

    read = (await service.read(f"qrcodes/{code['id']}"))["figures"]
    assert read == {
        "scans": 4,
        "new_follows": 2,
        "refollows": 1,
        "left_in_day": 1,
        "left_in_week": 1,
        "cards": 0,
    }
    until = str((clock.now() + timedelta(days=1)).date())
    days = (await service.read(f"qrcodes/{code['id']}/figures", until=until))["items"]
    assert sum(day["scans"] for day in days) == 4
    assert days[0]["left_in_day"] == 1
    assert (await service.read(f"qrcodes/{other['id']}"))["figures"]["scans"] == 0


async def test_a_card_that_answers_a_scan_counts_once_it_is_sent(
    service: Service, jobs: Jobs, wechat: WeChat, clock: WorldClock, connection: asyncpg.Connection
) -> None:
    code = await made(service, jobs)
    await service.add_rule(card(), trigger={"on": "scan", "scene": "store_0042"})
    await service.push(follow(clock))
    await jobs.count_scans()
    assert await cards(service, code) == 0
    (callback_id,) = await column(connection, "SELECT callback_id FROM replies")
    wechat.open_window()
    await jobs.deliver({"callback_id": str(callback_id)})
    await jobs.count_scans()
    assert await cards(service, code) == 0

    clock.advance(timedelta(minutes=2))
    for _ in range(2):
        await jobs.count_scans()
    assert await cards(service, code) == 1


async def cards(service: Service, code: Json) -> int:
    found: int = (await service.read(f"qrcodes/{code['id']}"))["figures"]["cards"]
    return found


async def test_who_leaves_is_counted_though_their_scene_is_erased(
    service: Service, jobs: Jobs, wechat: WeChat, clock: WorldClock, connection: asyncpg.Connection
) -> None:
    code = await made(service, jobs)
    await service.add_rule(card(), trigger={"on": "scan", "scene": "store_0042"})
    await service.push(follow(clock))
    (callback_id,) = await column(connection, "SELECT callback_id FROM replies")
    wechat.open_window()
    await jobs.deliver({"callback_id": str(callback_id)})
    clock.advance(timedelta(seconds=30))
    await service.push(unfollow(clock))
    (erasure_id,) = await column(connection, "SELECT id FROM erasures")
    await jobs.erase({"erasure_id": str(erasure_id)})
    assert await column(connection, "SELECT scene FROM follow_events") == [None, None]

    clock.advance(timedelta(minutes=2))
    await jobs.count_scans()
    assert (await service.read(f"qrcodes/{code['id']}"))["figures"] == {
        "scans": 1,
        "new_follows": 1,
        "refollows": 0,
        "left_in_day": 1,
        "left_in_week": 1,
        "cards": 1,
    }
