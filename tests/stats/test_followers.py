"""Follower figures: exact against a slow walk, in any time zone, by an index."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import asyncpg
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from app.db.engine import Database
from app.growth.count import count_new
from app.stats import follower_store
from app.stats.compute import follower_figures
from app.stats.date_range import DateRange
from app.stats.follower_history_sql import FROM_HISTORY
from app.stats.schemas import FollowerFigures, FollowersOut
from tests.service import APPID, Service, event
from tests.stats.histories import (
    Erasures,
    Happened,
    Reference,
    Row,
    as_erased,
    erase,
    store,
)

OTHER_APPID = "wx00000000000000ff"
# Clocks change at two, at one, at midnight, by half an hour, on other days, and never.
ZONES = (
    "America/New_York",
    "Atlantic/Azores",
    "America/Havana",
    "Australia/Lord_Howe",
    "Europe/Berlin",
    "Asia/Shanghai",
    "Pacific/Kiritimati",
)
CHANGES = tuple(
    datetime(2026, month, day, tzinfo=UTC)
    for month, day in ((3, 8), (3, 29), (4, 5), (10, 4), (10, 25), (11, 1))
)

actions = st.sampled_from(("follow", "unfollow", "follow", "unfollow", "scan"))


@st.composite
def worlds(draw: st.DrawFn) -> tuple[list[Happened], Erasures, DateRange]:
    change = draw(st.sampled_from(CHANGES))
    history = [
        Happened(
            openid=f"o{draw(st.integers(0, 5))}",
            action=draw(actions),
            at=change + timedelta(minutes=30 * draw(st.integers(-150, 150))),
            scene=draw(st.sampled_from((None, "a", "b"))),
            appid=draw(st.sampled_from((APPID, APPID, OTHER_APPID))),
        )
        for _ in range(draw(st.integers(0, 40)))
    ]
    people = sorted({(one.appid, one.openid) for one in history})
    erasures = {
        person: change + timedelta(minutes=30 * draw(st.integers(-150, 150)))
        for person in people
        if draw(st.booleans())
    }
    first = draw(st.integers(-4, 4))
    since = change.date() + timedelta(days=first)
    until = since + timedelta(days=draw(st.integers(0, 5)))
    return history, erasures, DateRange(since, until, draw(st.sampled_from(ZONES)))


async def figures_of(database: Database, span: DateRange, *appids: str) -> FollowersOut:
    async with database.sessions() as session:
        moved, standing = await follower_store.read(session, appids or (APPID,), span)
    return follower_figures(moved, standing, span)


async def figures_of_both(
    database: Database, span: DateRange, before: DateRange, *appids: str
) -> tuple[FollowersOut, FollowersOut]:
    async with database.sessions() as session:
        moved, earlier, standing = await follower_store.read_with_before(
            session, appids, span, before
        )
    return follower_figures(moved, standing, span), follower_figures(earlier, standing, before)


def row(figures: FollowerFigures) -> Row:
    assert figures.net == figures.new - figures.lost
    return (figures.start, figures.new, figures.lost, figures.churn_rate)


def nonzero(labels: Iterable[tuple[str | None, Row]]) -> dict[str | None, Row]:
    return {label: found for label, found in labels if any(found[:3])}


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(world=worlds(), counted=st.sampled_from(("never", "before erasures", "after erasures")))
async def test_the_figures_are_those_of_a_walk_through_every_life(
    world: tuple[list[Happened], Erasures, DateRange],
    counted: str,
    database: Database,
    connection: asyncpg.Connection,
) -> None:
    """Whoever was erased still counts, without a name and a scene."""
    history, erasures, span = world
    await store(connection, history)
    if counted == "before erasures":
        await count_new(database.sessions, max_events=7)
    await erase(database.sessions, erasures)
    if counted == "after erasures":
        await count_new(database.sessions, max_events=7)
    history = as_erased(history, erasures)

    for appids in ((APPID,), (APPID, OTHER_APPID)):
        told = [one for one in history if one.appid in appids]
        before = days_before(span)
        both = await figures_of_both(database, span, before, *appids)

        check(await figures_of(database, span, *appids), Reference(told, span))
        for found, expected in zip(
            both, (Reference(told, span), Reference(told, before)), strict=True
        ):
            check(found, expected)


def days_before(span: DateRange) -> DateRange:
    """Return as many days right before."""
    day = timedelta(days=1)
    length = span.until - span.since + day
    return replace(span, since=span.since - length, until=span.since - day)


def check(found: FollowersOut, expected: Reference) -> None:
    """Hold the figures against the walk."""
    assert {one.day: row(one) for one in found.days} == {
        day: tally.row() for day, tally in expected.days.items()
    }
    assert {one.scene: row(one) for one in found.scenes} == nonzero(
        (label, tally.row()) for label, tally in expected.scenes.items()
    )
    assert {one.scene: row(one) for one in found.qr_scenes} == nonzero(
        (label, tally.row()) for label, tally in expected.qr_scenes.items()
    )
    assert found.total.new == sum(tally.new for tally in expected.days.values())


async def test_a_day_of_25_hours_has_all_of_them(
    database: Database, connection: asyncpg.Connection
) -> None:
    """In the Azores the first hour of 25 October 2026 comes twice; both are that day's."""
    midnight = datetime(2026, 10, 25, 0, tzinfo=UTC)  # 00:00 summer time; an hour later, again
    hours = [midnight + timedelta(hours=number - 1) for number in range(27)]
    await store(
        connection, [Happened(f"o{number}", "follow", at) for number, at in enumerate(hours)]
    )

    found = await figures_of(
        database, DateRange(date(2026, 10, 24), date(2026, 10, 26), "Atlantic/Azores")
    )

    assert [day.new for day in found.days] == [1, 25, 1]


async def test_a_follow_told_twice_is_one_new_follower(
    database: Database, connection: asyncpg.Connection
) -> None:
    at = datetime(2026, 11, 2, 9, tzinfo=UTC)
    await store(
        connection,
        [
            Happened("o1", "follow", at),
            Happened("o1", "follow", at + timedelta(seconds=1)),
            Happened("o1", "unfollow", at + timedelta(hours=1)),
            Happened("o1", "unfollow", at + timedelta(hours=2)),
        ],
    )

    found = await figures_of(database, DateRange(date(2026, 11, 2), date(2026, 11, 2), "UTC"))

    assert row(found.total) == (0, 1, 1, None)


async def test_a_pushed_follow_is_counted_on_the_day_of_the_asked_time_zone(
    service: Service,
) -> None:
    created = int(datetime(2026, 11, 2, 20, tzinfo=UTC).timestamp())
    await service.push(
        event(service.clock, "subscribe", CreateTime=created, EventKey="qrscene_store_0042")
    )

    days = {}
    for zone in ("Asia/Shanghai", "America/New_York"):
        query = {"from": "2026-11-01", "until": "2026-11-04", "time_zone": zone}
        found = await service.read("stats/followers", **query)
        days[zone] = [day["day"] for day in found["days"] if day["new"]]
        assert (found["from"], found["until"], found["time_zone"]) == tuple(query.values())
        assert found["qr_scenes"] == [
            {"scene": "store_0042", "start": 0, "new": 1, "lost": 0, "net": 1, "churn_rate": None}
        ]

    assert days == {"Asia/Shanghai": ["2026-11-03"], "America/New_York": ["2026-11-02"]}


async def test_only_so_many_qr_scenes_are_shown_and_the_rest_is_counted(
    database: Database, connection: asyncpg.Connection
) -> None:
    at = datetime(2026, 11, 2, 9, tzinfo=UTC)
    await store(
        connection, [Happened(f"o{number}", "follow", at, f"s{number}") for number in range(1003)]
    )

    found = await figures_of(database, DateRange(date(2026, 11, 2), date(2026, 11, 2), "UTC"))

    assert (len(found.qr_scenes), found.qr_scenes_left_out) == (1000, 3)


async def test_the_events_are_found_by_an_index(
    database: Database, connection: asyncpg.Connection
) -> None:
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    await store(
        connection,
        [
            Happened(f"o{number % 5000}", "follow", begin + timedelta(minutes=10 * number))
            for number in range(40_000)
        ],
    )
    await connection.execute("VACUUM ANALYZE follow_events")
    span = DateRange(date(2026, 10, 1), date(2026, 10, 7), "Asia/Shanghai")
    async with database.sessions() as session:
        plan = await session.execute(
            text("EXPLAIN " + FROM_HISTORY.text),
            follower_store.parameters([APPID], span, span.since),
        )
        shown = "\n".join(plan.scalars())

    assert "ix_follow_events_time" in shown
    assert "ix_follow_events_latest" in shown
    assert "Seq Scan on follow_events" not in shown


async def test_what_was_before_is_looked_up_once_a_person_however_often_they_came(
    database: Database, connection: asyncpg.Connection
) -> None:
    """An index probe and a sort for each event take longer than a command may take."""
    begin = datetime(2026, 10, 4, tzinfo=UTC)
    people, events = 20, 3000
    await store(
        connection,
        [
            Happened(
                f"o{number % people}",
                "follow" if number // people % 2 else "unfollow",
                begin + timedelta(minutes=number, days=-30 if number < people else 0),
            )
            for number in range(events)
        ],
    )
    await connection.execute("VACUUM ANALYZE follow_events")
    span = DateRange(date(2026, 10, 3), date(2026, 10, 7), "Asia/Shanghai")
    async with database.sessions() as session:
        plan = await session.execute(
            text("EXPLAIN (ANALYZE, FORMAT JSON) " + FROM_HISTORY.text),
            follower_store.parameters([APPID], span, span.since),
        )
        (whole,) = plan.scalar_one()

    probes = sum(node["Actual Loops"] for node in nodes(whole["Plan"]) if node.get("Alias") == "b")
    assert probes == people


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for inner in plan.get("Plans", ()):
        yield from nodes(inner)
