"""The sums and their correction give the figures that the history gives, whatever happened."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Result, text
from uuid_utils.compat import uuid7

from app.db.engine import Database, SessionFactory, open_database
from app.db.queue import raw_connection
from app.events import erase as events
from app.events import sync_store
from app.events.models import FollowAction
from app.growth.count import correct, count_new
from app.stats import follower_store
from app.stats.date_range import DateRange
from app.stats.follower_history_sql import FROM_HISTORY
from app.stats.follower_sums_sql import FROM_SUMS
from app.tombstones.subject import PREFIX, ErasureSubject
from tests.service import APPID
from tests.stats.histories import CLEAR, LAST_ID
from tests.waiting import PATIENCE_SECONDS

OTHER_APPID = "wx00000000000000ff"
START = datetime(2026, 10, 25, tzinfo=UTC)  # clocks change in Europe
ZONES = ("Asia/Shanghai", "Atlantic/Azores", "Australia/Lord_Howe", "Asia/Kathmandu", "Asia/Tokyo")

# As the inbox stores a follow or an unfollow: the latest event decides about the follower.
STORE = """
WITH stored AS (
    INSERT INTO follow_events (id, appid, openid, action, scene, occurred_at)
    VALUES ($1, $2, $3, $4, $5, $6) RETURNING *
), known AS (
    INSERT INTO openids (appid, openid, first_seen_at, last_seen_at) VALUES ($2, $3, $6, $6)
    ON CONFLICT DO NOTHING
)
INSERT INTO followers AS f (appid, openid, following, scene, how, last_at, last_id, followed_at)
SELECT appid, openid, action = 'follow', scene, CASE WHEN scene IS NOT NULL THEN 'QR' END,
       occurred_at, id, CASE WHEN action = 'follow' THEN occurred_at END
FROM stored
ON CONFLICT (appid, openid) DO UPDATE SET
    following = EXCLUDED.following, scene = EXCLUDED.scene, how = EXCLUDED.how,
    last_at = EXCLUDED.last_at, last_id = EXCLUDED.last_id,
    followed_at = COALESCE(EXCLUDED.followed_at, f.followed_at)
WHERE (EXCLUDED.last_at, EXCLUDED.last_id) > (f.last_at, f.last_id)
"""

# What happens more often stands here more often.
KINDS = (
    *("follow", "unfollow", "follow", "unfollow", "scan", "twice", "sync", "how"),
    *("contents", "identity", "restore", "delete", "count", "correct"),
)


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happens to a person."""

    kind: str
    appid: str
    openid: str
    at: datetime
    scene: str | None


steps = st.lists(
    st.builds(
        Step,
        kind=st.sampled_from(KINDS),
        appid=st.sampled_from((APPID, APPID, OTHER_APPID)),
        openid=st.sampled_from(("o1", "o2")),
        at=st.integers(-300, 300).map(lambda number: START + timedelta(minutes=15 * number)),
        scene=st.sampled_from((None, "a", "b", "长" * 3000)),
    ),
    min_size=2,
    max_size=10,
)


async def do(step: Step, connection: asyncpg.Connection, sessions: SessionFactory) -> None:
    """Let it happen, through the functions that do it in the service."""
    person = ErasureSubject(step.appid, step.openid, step.at, LAST_ID, f"{PREFIX}{step.openid}", {})
    if step.kind in {"follow", "unfollow", "scan"}:
        await connection.execute(STORE, uuid7(), *_columns(step, step.kind))
    elif step.kind == "twice":
        await connection.execute(STORE, uuid7(), *_columns(step, "follow"))
        await connection.execute(STORE, uuid7(), *_columns(step, "follow"))
    elif step.kind == "delete":
        await connection.execute(
            "DELETE FROM follow_events WHERE id = (SELECT min(id::text)::uuid FROM follow_events "
            "WHERE appid = $1 AND openid = $2)",
            step.appid,
            step.openid,
        )
    elif step.kind == "count":
        await count_new(sessions, max_events=3)
    else:
        async with sessions.begin() as session:
            if step.kind == "sync":
                await sync_store.add_found(session, step.appid, [_found(step)])
            elif step.kind == "how":
                await sync_store.set_how(
                    session, step.appid, [(step.openid, step.scene or "OTHER")]
                )
            elif step.kind == "contents":
                await events.erase_contents(session, person)
            elif step.kind == "identity":
                returned = await events.has_returned(session, person)
                await events.erase_contents(session, person)
                await events.erase_identity(session, person, returned=returned)
            elif step.kind == "restore":
                await events.restore_follower(session, person)
            if step.kind != "how":
                await correct(session, person)


def _columns(step: Step, action: str) -> tuple[object, ...]:
    return step.appid, step.openid, action, step.scene, step.at


def _found(step: Step) -> sync_store.FoundEvent:
    action = FollowAction.UNFOLLOW if step.scene == "b" else FollowAction.FOLLOW
    return sync_store.FoundEvent(uuid7(), step.openid, action, step.at, step.scene, "SYNC")


Sums = dict[tuple[Any, ...], tuple[int, ...]]


async def read(
    sessions: SessionFactory, appids: Sequence[str], days: DateRange, since: date
) -> tuple[Sums, Sums]:
    """Return what both statements return, without the labels of which nothing is to be said."""
    bound = follower_store.parameters(appids, days, since)
    async with sessions() as session:
        counted = await session.scalar(text("SELECT position FROM growth_progress"))
        kept = await session.execute(FROM_SUMS, {**bound, "counted": counted})
        slow = await session.execute(FROM_HISTORY, bound)
        return _nonzero(kept), _nonzero(slow)


def _nonzero(rows: Result[Any]) -> Sums:
    found: Sums = {}
    for row in rows:
        values = tuple(int(one or 0) for one in (row.new, row.lost, row.net, row.followers))
        if any(values):
            assert (row.kind, row.label, row.part) not in found
            found[row.kind, row.label, row.part] = values
    return found


@settings(
    max_examples=80,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    history=st.lists(steps, min_size=2, max_size=4),
    zone=st.sampled_from(ZONES),
    first=st.integers(-4, 4),
    length=st.integers(0, 3),
    before=st.integers(0, 3),
)
async def test_the_sums_give_what_the_history_gives(
    history: list[list[Step]],
    zone: str,
    first: int,
    length: int,
    before: int,
    database: Database,
    connection: asyncpg.Connection,
) -> None:
    """Late, doubled, changed, erased and deleted events, counted now and then, in any time zone."""
    await connection.execute(CLEAR)
    await connection.execute("TRUNCATE openids CASCADE")
    start = START.date() + timedelta(days=first)
    days = DateRange(start, start + timedelta(days=length), zone)
    since = start - timedelta(days=before)

    for part in [*history, []]:
        for step in part:
            await do(step, connection, database.sessions)
        for appids in ((APPID,), (APPID, OTHER_APPID)):
            kept, slow = await read(database.sessions, appids, days, since)
            assert kept == slow
        await count_new(database.sessions, max_events=4)
    assert await rows_to_correct(connection) == 0


async def rows_to_correct(connection: asyncpg.Connection) -> int:
    return int(
        await connection.fetchval(
            "SELECT (SELECT count(*) FROM counted_follow_events)"
            "     + (SELECT count(*) FROM counted_hows)"
        )
    )


async def assert_exact(database: Database) -> None:
    """Hold the sums against the history over all days."""
    days = DateRange(START.date() - timedelta(days=9), START.date() + timedelta(days=9), "UTC")
    kept, slow = await read(database.sessions, [APPID], days, days.since)
    assert kept == slow != {}


@asynccontextmanager
async def another_process(database: Database) -> AsyncIterator[SessionFactory]:
    """Open the same database again, since nobody holds two connections of one pool."""
    other = open_database(database.url)
    yield other.sessions
    await other.close()


async def test_what_is_committed_while_others_are_counted_is_counted_afterwards(
    database: Database, connection: asyncpg.Connection
) -> None:
    """A late event changes what the event after it means, which may be counted already."""
    late = Step("follow", APPID, "o1", START, "a")
    later = Step("unfollow", APPID, "o1", START + timedelta(hours=30), None)
    async with another_process(database) as sessions, sessions.begin() as slow:
        raw = await raw_connection(slow)
        await raw.execute(STORE, uuid7(), *_columns(late, "follow"))
        await do(replace(later, openid="o2"), connection, database.sessions)
        await count_new(database.sessions)
        await assert_exact(database)
    await do(later, connection, database.sessions)
    await count_new(database.sessions)
    await assert_exact(database)

    async with another_process(database) as sessions, sessions.begin() as erasing:
        person = ErasureSubject(APPID, "o1", later.at, LAST_ID, f"{PREFIX}o1", {})
        await events.erase_contents(erasing, person)
        await do(
            replace(late, openid="o2", at=START - timedelta(hours=30)),
            connection,
            database.sessions,
        )
        await count_new(database.sessions)
        await assert_exact(database)
    await assert_exact(database)
    await count_new(database.sessions)
    await assert_exact(database)


async def test_two_who_count_at_once_count_once(
    database: Database, connection: asyncpg.Connection
) -> None:
    for number in range(20):
        step = Step("follow", APPID, f"o{number}", START + timedelta(hours=number), "a")
        await do(step, connection, database.sessions)
    await asyncio.gather(*(count_new(database.sessions, max_events=3) for _ in range(3)))
    await count_new(database.sessions)

    await assert_exact(database)
    assert await connection.fetchval("SELECT sum(new) FROM growth_quarters") == 20


async def test_counting_does_not_wait_for_an_erasure_that_corrects_the_sums(
    database: Database, connection: asyncpg.Connection
) -> None:
    await do(Step("follow", APPID, "o1", START, "a"), connection, database.sessions)
    await count_new(database.sessions)
    person = ErasureSubject(APPID, "o1", START, LAST_ID, f"{PREFIX}o1", {})
    async with another_process(database) as sessions, sessions.begin() as erasing:
        await events.erase_contents(erasing, person)
        await correct(erasing, person)
        async with asyncio.timeout(PATIENCE_SECONDS):
            await count_new(database.sessions)
        await assert_exact(database)
    await assert_exact(database)
    assert await rows_to_correct(connection) == 0
    assert await connection.fetchval("SELECT count(*) FROM growth_days WHERE label = 'a'") == 0


async def test_while_many_events_are_not_counted_the_history_is_read(
    database: Database, connection: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follower_store, "MAX_UNCOUNTED", 2)
    for number in range(3):
        step = Step("follow", APPID, f"o{number}", START, "a")
        await do(step, connection, database.sessions)
    days = DateRange(START.date(), START.date(), "UTC")
    found = []
    for _ in range(2):
        async with database.sessions() as session:
            found.append(await follower_store.read(session, [APPID], days))
        await count_new(database.sessions)

    assert sorted(map(repr, found[0][0])) == sorted(map(repr, found[1][0]))
