"""The sums give the figures that a walk through all touches gives, whatever happened."""

import asyncio
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.arrivals import erase as arrivals
from app.callback import erase as inbox
from app.db.engine import Database, SessionFactory, connect, open_database
from app.events import erase as events
from app.funnel import count as counting
from app.funnel import erase as funnel
from app.funnel import make_sums
from app.funnel.count import count
from app.funnel.progress import lock, sums_basis
from app.funnel.steps import Basis, DoorKind
from app.notices import erase as notices
from app.stats import funnel_store
from app.stats.date_range import DateRange
from app.stats.funnel_store import FunnelFigures, FunnelWanted
from app.tombstones.subject import PREFIX, ErasureSubject
from tests.funnel.world import (
    BUTTON,
    CLEAR,
    CODE,
    START,
    Campaign,
    Touch,
    World,
    button_at,
    campaign_id,
    code_id,
    figures,
    link_id,
    send_id,
)
from tests.lock_waits import backend_waits
from tests.service import APPID, CARD_APPID
from tests.stats.histories import LAST_ID
from tests.waiting import eventually

SHANGHAI = Basis("Asia/Shanghai", 1, 2)
ISLANDS = Basis("Atlantic/Azores", 2, 1)
OTHERS = (Basis("Australia/Lord_Howe", 3, 3), Basis("Asia/Kathmandu", 1, 2))
DAY = 86_400

KINDS = (
    *("text", "text", "answered", "answered", "follow", "scan", "reply", "reply", "launch"),
    *("launch", "conversion", "notice", "visit", "visit", "purchase", "tap", "enter", "order"),
    *("contents", "identity", "count", "basis", "undelivered", "forget"),
    *("campaign", "campaign", "campaign", "delete campaign"),
    *("making", "made"),
)
# Of several kinds, of both versions of a menu, and some of two campaigns at once.
CAMPAIGNS = (
    ("rule:1", f"qrcode:{code_id('a')}"),
    ("button:2-1", f"link:{link_id(1)}", f"notice:{send_id(0)}"),
    ("rule:7", "rule:1", f"qrcode:{code_id('a')}", f"qrcode:{code_id('b')}"),
    (f"link:{link_id(0)}", f"link:{link_id(1)}", "button:1", "rule:3"),
)


@dataclass(frozen=True, slots=True)
class Happens:
    """One thing that happens. number: which touch, link or send is meant."""

    kind: str
    openid: str
    at: datetime
    number: int
    after: int
    odd: bool


happenings = st.lists(
    st.builds(
        Happens,
        kind=st.sampled_from(KINDS),
        openid=st.sampled_from(("o1", "o2", "o3")),
        at=st.one_of(
            st.integers(-12, 12).map(lambda number: START + timedelta(hours=6 * number)),
            st.integers(-2, 2).map(lambda number: START + timedelta(days=180 * number)),
        ),
        number=st.integers(0, 5),
        after=st.sampled_from((0, 60, DAY, DAY + 1, 2 * DAY, 2 * DAY + 1, 3 * DAY, 91 * DAY)),
        odd=st.booleans(),
    ),
    min_size=2,
    max_size=9,
)


def may(kind: str, touch: Touch) -> bool:
    """Tell whether a touch can be answered, or reported on."""
    if touch.person not in {"o1", "o2", "o3"}:
        return False
    if kind == "reply":
        return touch.source == "push" and touch.matched
    return touch.sent and (touch.source == "notice" if kind == "undelivered" else True)


class Story:
    """Lets things happen through the functions that do them in the service."""

    def __init__(self, connection: asyncpg.Connection, sessions: SessionFactory) -> None:
        self.world = World(connection)
        self.sessions = sessions
        self.basis = SHANGHAI

    async def count(self, batch: int = 1_000) -> None:
        """Run the schedule, as if all that has a lower id were committed."""
        settled = self.world.now + timedelta(seconds=1)
        counting._SETTLED = text(f"SELECT TIMESTAMPTZ '{settled.isoformat()}'")
        await count(self.sessions, self.basis, batch)

    async def happen(self, one: Happens) -> None:
        """Let it happen."""
        if one.kind in {"text", "answered", "follow", "scan", "tap"}:
            await self._push(one)
        elif one.kind in {"reply", "launch", "conversion", "notice", "undelivered"}:
            await self._send(one)
        elif one.kind in {"visit", "purchase", "enter", "order"}:
            kind = "launch" if one.kind in {"visit", "enter"} else "conversion"
            unionid = ("u1", "u2", "")[one.number % 3]
            at = one.at + timedelta(seconds=one.after * (kind == "conversion"))
            link = one.kind in {"visit", "purchase"}
            place = one.number % 2 if link else button_at(one.at)
            await self.world.visit(kind, unionid, at, place, exact=one.odd)
        elif one.kind == "campaign":
            span = timedelta(seconds=one.after or DAY // 4)
            doors = CAMPAIGNS[one.number % len(CAMPAIGNS)]
            await self.world.campaign(one.odd, Campaign(one.at, one.at + span, doors))
        elif one.kind == "delete campaign":
            await self.world.delete_campaign(one.odd)
        elif one.kind == "forget":
            await self.forget(f"u{1 + one.number % 2}", one.at)
        elif one.kind == "count":
            await self.count(batch=2)
        elif one.kind == "basis":
            self.basis = ISLANDS if self.basis == SHANGHAI else SHANGHAI
        elif one.kind == "making":
            await self.sum_touches()
        elif one.kind == "made":
            async with self.sessions.begin() as session:
                await make_sums.finish(session, self.basis)
        else:
            await self.erase(one)

    async def _push(self, one: Happens) -> None:
        event, scene, rule_id = None, None, one.number if one.kind == "answered" else None
        if one.kind in {"follow", "scan"}:
            event = "subscribe" if one.kind == "follow" else "SCAN"
            scene, rule_id = ("a", "b", "c", None)[one.number % 4], 7
        if one.kind == "tap":
            event, rule_id = "CLICK", one.number or None
        await self.world.push(
            one.openid,
            one.at,
            event,
            scene=scene,
            rule_id=rule_id,
            late=one.odd,
            passive=one.odd and event is None,
        )

    async def _send(self, one: Happens) -> None:
        """Send something, or report what came of it. Who is erased gets nothing more."""
        if one.kind == "notice":
            await self.world.notice(one.openid, one.at, one.number % 2)
            return
        chosen = [touch for touch in self.world.touches if may(one.kind, touch)]
        if not chosen:
            return
        touch = chosen[one.number % len(chosen)]
        if one.kind == "reply":
            await self.world.reply(touch)
        elif one.kind == "undelivered":
            await self.world.undelivered(touch)
        else:
            left_out = one.odd and one.number == 0
            await self.world.report(touch, one.kind, one.after, exact=one.odd, left_out=left_out)

    async def erase(self, one: Happens) -> None:
        """Erase somebody, in the order of `privacy.erase`."""
        of_identity = one.kind == "identity"
        person = ErasureSubject(APPID, one.openid, one.at, LAST_ID, f"{PREFIX}{one.openid}", {})
        async with self.sessions.begin() as session:
            await funnel.count_before_erasure(session, person)
        async with self.sessions.begin() as session:
            clear_notices = notices.erase_identity if of_identity else notices.erase_contents
            await clear_notices(session, person, 1_000)
        async with self.sessions.begin() as session:
            clear = inbox.erase_identity if of_identity else inbox.erase_contents
            await clear(session, person, 1_000)
            await funnel.erase(session, person, of_identity=of_identity)
            await events.erase_contents(session, person)
            await funnel.count_after_erasure(session, person)
        self.world.erase(one.openid, one.at, of_identity=of_identity)

    async def sum_touches(self) -> None:
        """Do all but the end of making the sums by another basis."""
        self.basis = ISLANDS if self.basis == SHANGHAI else SHANGHAI
        async with self.sessions.begin() as session:
            await make_sums.begin(session, await lock(session), self.basis)
        assert await make_sums.sum_touches(self.sessions, self.basis)

    async def forget(self, unionid: str, until: datetime) -> None:
        """Erase a UnionID, in the order of `privacy.erase`."""
        await self.count()
        names = {unionid: f"{PREFIX}{unionid}"}
        async with self.sessions.begin() as session:
            await funnel.forget_unionids(session, names, until)
            await arrivals.forget_unionids(session, names, until, 1_000)
        self.world.forget(unionid, until)


WANTED = (
    (DoorKind.ACCOUNT, ""),
    (DoorKind.RULE, ""),
    (DoorKind.RULE, "1"),
    (DoorKind.QRCODE, ""),
    (DoorKind.QRCODE, str(code_id("a"))),
    (DoorKind.NOTICE, ""),
    (DoorKind.NOTICE, str(send_id(0))),
    (DoorKind.LINK, ""),
    (DoorKind.LINK, str(link_id(1))),
    (DoorKind.BUTTON, ""),
    (DoorKind.BUTTON, "3:2-1"),
    (DoorKind.CAMPAIGN, ""),
    (DoorKind.CAMPAIGN, str(campaign_id(0))),
    (DoorKind.CAMPAIGN, str(campaign_id(1))),
)
WITHIN = (
    (DoorKind.ACCOUNT, ""),
    (DoorKind.RULE, ""),
    (DoorKind.RULE, "1"),
    (DoorKind.QRCODE, ""),
    (DoorKind.NOTICE, ""),
    (DoorKind.LINK, ""),
    (DoorKind.BUTTON, "3:2-1"),
)
ASKED = (
    *((kind, door, "") for kind, door in WANTED),
    *((kind, door, str(campaign_id(0))) for kind, door in WITHIN),
)


async def assert_exact(
    story: Story, days: DateRange, kind: DoorKind, door: str, campaign: str
) -> None:
    """Hold the sums, and the touches, against the walk."""
    wanted = FunnelWanted([APPID, CARD_APPID], days, story.basis, kind, door, campaign)
    async with story.sessions() as session:
        assert await funnel_store._has_sums(session, story.basis)
        kept = await funnel_store.read(session, wanted)
        compared = [(wanted, kept)]
        for basis in (story.basis, *OTHERS):
            zoned = replace(days, time_zone=basis.time_zone)
            asked = replace(wanted, basis=basis, date_range=zoned)
            compared.append((asked, await funnel_store.read_slowly(session, asked)))
    for asked, found in compared:
        total, by_day, doors = figures(story.world, asked)
        assert (found.total, found.days, found.doors) == (total, by_day, doors)
        assert found.all_doors == len(doors)


async def begin(connection: asyncpg.Connection, sessions: SessionFactory) -> Story:
    """Return a story of an empty world with two QR codes and two versions of a menu."""
    await connection.execute(CLEAR)
    await connection.execute(BUTTON, APPID, 2, "1", START - timedelta(days=1_000))
    await connection.execute(BUTTON, APPID, 3, "2-1", START)
    for scene in ("a", "b"):
        await connection.execute(CODE, code_id(scene), scene, APPID)
    return Story(connection, sessions)


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
    history=st.lists(happenings, min_size=1, max_size=4),
    first=st.integers(-3, 2),
    length=st.sampled_from((0, 1, 4, 364, 365)),
)
async def test_the_sums_give_what_a_walk_gives(
    history: list[list[Happens]],
    first: int,
    length: int,
    database: Database,
    connection: asyncpg.Connection,
) -> None:
    """Late pushes and reports, changed windows and zones, erasures of contents and ids."""
    story = await begin(connection, database.sessions)
    for part in history:
        for one in part:
            await story.happen(one)
        await story.count(batch=3)
        since = START.date() + timedelta(days=first)
        days = DateRange(since, since + timedelta(days=length), story.basis.time_zone)
        for asked in ASKED:
            await assert_exact(story, days, *asked)
    assert await connection.fetchval("SELECT count(*) FROM funnel_marks") == 0
    assert await connection.fetchval("SELECT count(*) FROM funnel_pairs WHERE people <= 0") == 0


async def test_one_of_everything(database: Database, connection: asyncpg.Connection) -> None:
    story = await begin(connection, database.sessions)
    days = DateRange(START.date() - timedelta(days=9), START.date() + timedelta(days=99), "UTC")
    for number, kind in enumerate((*dict.fromkeys(KINDS), "answered", "reply", "launch", "count")):
        at = START + timedelta(hours=7 * number)
        await story.happen(Happens(kind, "o1", at, number % 6, 60, odd=bool(number % 2)))
    await story.count()
    story.basis = Basis("UTC", 1, 1)
    await story.count()
    for asked in ASKED:
        await assert_exact(story, days, *asked)


async def touches_of_three(story: Story) -> None:
    """Let three people write and follow, and answer them."""
    for number, kind in enumerate(("answered", "follow", "reply", "answered", "launch", "text")):
        at = START + timedelta(hours=30 * number)
        await story.happen(Happens(kind, f"o{1 + number % 3}", at, 1, 60, odd=False))
    await story.count()


YEAR = DateRange(START.date() - timedelta(days=180), START.date() + timedelta(days=180), "UTC")


async def assert_all_exact(story: Story) -> None:
    days = replace(YEAR, time_zone=story.basis.time_zone)
    for asked in ASKED:
        await assert_exact(story, days, *asked)


async def test_a_notice_that_waits_to_be_counted_is_erased_with_its_person(
    database: Database, connection: asyncpg.Connection
) -> None:
    story = await begin(connection, database.sessions)
    end = START + timedelta(days=1)
    await story.world.campaign(0, Campaign(START, end, (f"notice:{send_id(0)}",)))
    await story.world.notice("o1", START, 0)
    await story.erase(Happens("identity", "o1", START, 0, 0, odd=False))
    await story.world.notice("o1", START + timedelta(hours=6), 0)
    await story.count()
    await assert_all_exact(story)
    assert await doors_of(connection, f"{PREFIX}o1") == [["notice:", f"notice:{send_id(0)}"]]


async def test_a_notice_that_is_counted_again_in_the_middle_of_an_erasure_stays_the_persons(
    database: Database, connection: asyncpg.Connection
) -> None:
    story = await begin(connection, database.sessions)
    end = START + timedelta(days=1)
    await story.world.campaign(0, Campaign(START, end, (f"notice:{send_id(0)}",)))
    notice = await story.world.notice("o1", START, 0)
    await story.count()
    await story.world.undelivered(notice)
    person = ErasureSubject(APPID, "o1", START, LAST_ID, f"{PREFIX}o1", {})
    async with story.sessions.begin() as session:
        await notices.erase_identity(session, person, 1_000)
    await story.count()
    await story.erase(Happens("identity", "o1", START, 0, 0, odd=False))
    await assert_all_exact(story)
    assert await doors_of(connection, f"{PREFIX}o1") == [["notice:", f"notice:{send_id(0)}"]]


async def doors_of(connection: asyncpg.Connection, person: str) -> list[list[str]]:
    """Return the doors of each touch of a person."""
    touches = await connection.fetch("SELECT doors FROM funnel_touches WHERE person = $1", person)
    return [touch["doors"] for touch in touches]


async def test_an_erasure_does_not_wait_for_sums_that_are_being_made(
    database: Database, connection: asyncpg.Connection
) -> None:
    story = await begin(connection, database.sessions)
    await touches_of_three(story)
    other = await connect(database.url)
    async with other.transaction():
        await other.execute("SELECT FROM funnel_days FOR UPDATE")
        making = asyncio.create_task(story.sum_touches())
        await eventually(backend_waits(connection, "DELETE FROM funnel_days"))
        # Late pushes, which the erasure itself counts.
        await story.happen(Happens("tap", "o1", START, 0, 0, odd=True))
        await story.happen(Happens("follow", "o2", START, 0, 0, odd=True))
        await story.happen(Happens("identity", "o1", START + timedelta(days=9), 0, 0, odd=False))
        await story.happen(Happens("contents", "o2", START + timedelta(days=9), 0, 0, odd=False))
        assert not making.done()
    await other.close()
    await making
    assert await connection.fetchval("SELECT count(*) FROM funnel_day_changes") > 0
    async with story.sessions.begin() as session:
        assert await make_sums.finish(session, story.basis)
    assert await connection.fetchval("SELECT count(*) FROM funnel_day_changes") == 0
    await assert_all_exact(story)


async def test_sums_are_made_anew_after_a_worker_ended_in_the_middle(
    database: Database, connection: asyncpg.Connection
) -> None:
    story = await begin(connection, database.sessions)
    await touches_of_three(story)
    await story.sum_touches()
    await story.happen(Happens("tap", "o1", START, 0, 0, odd=True))
    await story.happen(Happens("identity", "o1", START + timedelta(days=9), 0, 0, odd=False))
    assert await connection.fetchval("SELECT count(*) FROM funnel_day_changes") > 0
    await story.count()
    assert await connection.fetchval("SELECT count(*) FROM funnel_day_changes") == 0
    await assert_all_exact(story)


async def test_one_worker_at_a_time_sums_the_touches(
    database: Database, connection: asyncpg.Connection
) -> None:
    story = await begin(connection, database.sessions)
    await touches_of_three(story)
    async with connection.transaction():
        await connection.execute(str(make_sums._ALONE))
        story.basis = ISLANDS
        await story.count()
        async with story.sessions() as session:
            assert not await funnel_store._has_sums(session, ISLANDS)
    await story.count()
    await assert_all_exact(story)


async def test_sums_that_were_made_by_settings_of_before_are_not_taken_for_those_of_now(
    database: Database, connection: asyncpg.Connection
) -> None:
    story = await begin(connection, database.sessions)
    await touches_of_three(story)
    await story.sum_touches()
    made, story.basis = story.basis, Basis("UTC", 1, 1)
    async with story.sessions.begin() as session:
        await make_sums.begin(session, await lock(session), story.basis)
    async with story.sessions.begin() as session:
        assert not await make_sums.finish(session, made)
        assert sums_basis(await lock(session)) is None
    await story.count()
    await assert_all_exact(story)


async def test_sums_that_are_made_anew_while_they_are_read_are_not_mixed(
    database: Database, connection: asyncpg.Connection
) -> None:
    story = await begin(connection, database.sessions)
    await touches_of_three(story)
    wanted = FunnelWanted([APPID], YEAR, Basis("UTC", 1, 2), DoorKind.ACCOUNT, "")
    story.basis = wanted.basis
    await story.count()

    async def read() -> FunnelFigures:
        async with database.sessions() as session:
            return await funnel_store.read(session, wanted)

    before = await read()
    other = await connect(database.url)
    async with other.transaction():
        await other.execute("LOCK TABLE funnel_days")
        reading = asyncio.create_task(read())
        await eventually(backend_waits(connection, "%funnel_days%"))
        await other.execute("DELETE FROM funnel_days")
        await other.execute("UPDATE funnel_progress SET time_zone = NULL")
    await other.close()
    assert before.total.times["received"] > 0
    assert (await reading).total == before.total


async def test_parts_of_the_doors_give_what_all_of_them_give(
    database: Database, connection: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    story = await begin(connection, database.sessions)
    await touches_of_three(story)
    await connection.execute("ANALYZE funnel_touches")
    monkeypatch.setattr(make_sums, "TOUCHES_OF_PART", 1)
    story.basis = ISLANDS
    await story.count()
    await assert_all_exact(story)


@pytest.mark.parametrize("kind", ["contents", "identity"])
@pytest.mark.parametrize("late", ["tap", "follow"])
async def test_the_erasure_counts_a_late_push_that_is_not_counted_yet(
    database: Database, connection: asyncpg.Connection, kind: str, late: str
) -> None:
    story = await begin(connection, database.sessions)
    await story.happen(Happens("text", "o2", START, 0, 0, odd=False))
    await story.count()
    await story.happen(Happens(late, "o1", START, 0, 0, odd=True))
    await story.happen(Happens(kind, "o1", START + timedelta(days=1), 0, 0, odd=False))
    await story.count()
    await assert_all_exact(story)


async def test_a_person_who_is_forgotten_stays_in_the_figures_of_links_and_buttons(
    database: Database, connection: asyncpg.Connection
) -> None:
    story = await begin(connection, database.sessions)
    for kind in ("visit", "enter", "purchase", "order"):
        await story.happen(
            Happens(kind, "o1", START, 0, 60 * (kind in {"purchase", "order"}), True)
        )
    await story.count()
    await story.forget("u1", START)
    for kind in ("visit", "order", "enter"):
        at = START + timedelta(hours=2)
        await story.happen(Happens(kind, "o1", at, 0, 60, odd=False))
    await story.count()

    query = "SELECT DISTINCT person FROM funnel_touches WHERE at <= $1"
    assert [row[0] for row in await connection.fetch(query, START)] == ["erased:u1"]
    await assert_all_exact(story)


async def fill(story: Story) -> None:
    """Let enough happen that the schedule has several batches of each kind."""
    for number in range(24):
        kind = ("answered", "tap", "follow", "notice", "visit", "enter", "order", "launch")[
            number % 8
        ]
        at = START + timedelta(hours=5 * number)
        openid = f"o{1 + number % 3}"
        await story.happen(Happens(kind, openid, at, number % 5, 60, odd=number % 3 == 0))


async def test_processes_count_at_once_while_people_are_erased(
    database: Database, database_url: str, connection: asyncpg.Connection
) -> None:
    story = await begin(connection, database.sessions)
    await fill(story)
    others = [open_database(database_url) for _ in range(3)]
    settled = story.world.now + timedelta(seconds=1)
    counting._SETTLED = text(f"SELECT TIMESTAMPTZ '{settled.isoformat()}'")
    async with asyncio.TaskGroup() as tasks:
        for other in others:
            tasks.create_task(count(other.sessions, story.basis, 2))
        tasks.create_task(
            story.erase(Happens("identity", "o1", START + timedelta(days=9), 0, 0, odd=False))
        )
    for other in others:
        await other.close()
    await story.count()
    await assert_all_exact(story)


async def test_a_run_that_is_killed_leaves_nothing_half_counted(
    database: Database, connection: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    story = await begin(connection, database.sessions)
    await fill(story)
    with monkeypatch.context() as patch:
        patch.setattr(
            counting, "DELETE_EMPTY", [text("SELECT pg_terminate_backend(pg_backend_pid())")]
        )
        with pytest.raises(DBAPIError):
            await story.count(batch=2)
    for table in ("touches", "days", "pairs", "month_pairs"):
        assert await connection.fetchval(f"SELECT count(*) FROM funnel_{table}") == 0  # noqa: S608
    await story.count(batch=2)
    await assert_all_exact(story)


@pytest.mark.parametrize("kind", ["contents", "identity"])
async def test_a_campaign_keeps_what_erased_people_did_and_counts_it_once(
    database: Database, connection: asyncpg.Connection, kind: str
) -> None:
    """By a rule, which stays, and by a code and a button, which do not; changed afterwards."""
    story = await begin(connection, database.sessions)
    span = (START - timedelta(days=1), START + timedelta(days=9))
    doors = ("rule:1", f"qrcode:{code_id('a')}", "button:2-1", f"notice:{send_id(0)}")
    for at, what in enumerate(("answered", "tap", "notice", "answered")):
        moment = START + timedelta(minutes=7 * at)
        await story.happen(Happens(what, "o1", moment, 1 if what == "answered" else 0, 0, odd=True))
    await story.world.push("o1", START + timedelta(hours=1), "SCAN", scene="a", rule_id=1)
    await story.world.push("o2", START + timedelta(hours=1), rule_id=1)
    await story.count()
    await story.world.campaign(0, Campaign(*span, doors))
    await story.happen(Happens(kind, "o1", START + timedelta(days=1), 0, 0, odd=False))
    await story.count()
    await assert_all_exact(story)
    (found,) = await connection.fetch(
        "SELECT sum(received) AS received, sum(sent) AS sent FROM funnel_days WHERE door = $1",
        f"campaign:{campaign_id(0)}",
    )
    assert found["received"] == 5
    told = """SELECT bool_or(door LIKE '%qrcode:%') AND bool_or(door LIKE '%/rule:%')
              FROM funnel_touches CROSS JOIN LATERAL unnest(doors) AS door
              WHERE person LIKE 'anonymous:%' GROUP BY person"""
    assert [row[0] for row in await connection.fetch(told)] == [False, False]

    await story.world.campaign(0, Campaign(span[0], span[1] + timedelta(days=1), doors[:1]))
    await story.world.campaign(1, Campaign(*span, doors))
    await story.count()
    await assert_all_exact(story)
    await story.world.delete_campaign(0)
    await story.count()
    await assert_all_exact(story)
