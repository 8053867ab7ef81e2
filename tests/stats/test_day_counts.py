"""The counts by day are what counting the rows themselves gives, whatever became of the rows."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final
from uuid import UUID

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import TextClause, text
from uuid_utils.compat import uuid7

from app.codes import day_counts as code_counts
from app.codes.figures import by_door_and_day
from app.db import day_counts, migrate
from app.db.engine import Database
from app.db.queue import raw_connection
from app.events import day_counts as subscription_counts
from app.notices import day_counts as notice_counts
from app.stats import notice_store, subscription_store
from app.stats.date_range import DateRange
from tests.migrations.conftest import empty
from tests.service import APPID

__all__ = ["empty"]

START: Final = datetime(2026, 10, 25, 12, tzinfo=UTC)
SPAN: Final = DateRange(date(2026, 10, 24), date(2026, 10, 28), "Asia/Shanghai")
CAMPAIGN: Final = UUID(int=7)
MERGES: Final = (notice_counts.MERGE, subscription_counts.MERGE, code_counts.MERGE)
PARAMETERS: Final[Mapping[str, Any]] = {
    "appids": [APPID],
    "zone": SPAN.time_zone,
    "earliest": SPAN.earliest,
    "latest": SPAN.latest,
    "since": SPAN.since,
    "until": SPAN.until,
    "template_id": None,
    "limit": 100,
    "most": 100,
}
# Two rows each, three hours apart. $1: ids. $2: AppID. $3: template. $4: the time of the first.
NOTICE: Final = """
INSERT INTO notices (id, send_id, appid, openid, template_id, kind, status, created_at, next_at,
                     errmsg)
SELECT id, id, $2, 'o', $3, 'subscription', $5, at, at, $6
FROM unnest($1::uuid[]) WITH ORDINALITY AS t (id, n),
     LATERAL (SELECT $4::timestamptz + n * interval '3 hours' AS at) AS moment
"""
EVENT: Final = """
INSERT INTO subscription_events (id, callback_id, appid, openid, action, template_id, status,
                                 error_code, occurred_at)
SELECT id, id, $2, 'o', $5::text, $3, CASE WHEN $5::text <> 'sent' THEN $6 END,
       CASE WHEN $5::text = 'sent' THEN $6 END, $4::timestamptz + n * interval '3 hours'
FROM unnest($1::uuid[]) WITH ORDINALITY AS t (id, n)
"""
# What happens to rows. $1: a template, or how codes begin. $2: a time.
CHANGES: Final = (
    "UPDATE notices SET status = 'sent', tried_at = $2 "
    "WHERE template_id = $1 AND status = 'pending'",
    "UPDATE notices SET status = 'failed', errcode = 43101, tried_at = $2 WHERE template_id = $1",
    "UPDATE notices SET status = 'failed', errcode = NULL, errmsg = 'no answer', tried_at = $2 "
    "WHERE template_id = $1",
    "UPDATE notices SET status = 'undelivered', result = '1 refused', result_at = $2 "
    "WHERE template_id = $1",
    "UPDATE notices SET openid = 'gone', errmsg = NULL, result = NULL, result_at = $2 "
    "WHERE template_id = $1",
    "UPDATE notices SET attempts = attempts + 1, tried_at = $2 WHERE template_id = $1",
    "DELETE FROM notices WHERE template_id = $1 AND created_at < $2",
    "UPDATE subscription_events SET openid = 'gone', unionid = 'u' "
    "WHERE template_id = $1 AND occurred_at < $2",
    "UPDATE subscription_events SET template_id = 'C' WHERE template_id = $1 AND occurred_at < $2",
    "DELETE FROM subscription_events WHERE template_id = $1 AND occurred_at < $2",
    "INSERT INTO campaign_codes (campaign_id, code, given_at) "
    "SELECT '00000000-0000-0000-0000-000000000007', $1 || n, "
    "CASE WHEN n = 4 THEN $2::timestamptz END FROM generate_series(1, 4) n ON CONFLICT DO NOTHING",
    "UPDATE campaign_codes SET given_at = $2, door_kind = 'rule', door_id = $1 "
    "WHERE code LIKE $1 || '%' AND given_at IS NULL",
    "UPDATE campaign_codes SET redeemed_at = $2 "
    "WHERE code LIKE $1 || '%' AND redeemed_at IS NULL AND given_at IS NOT NULL",
    "UPDATE campaign_codes SET void_at = $2 WHERE code = $1 || '1' AND given_at IS NOT NULL",
    "DELETE FROM campaign_codes WHERE code IN ($1 || '2', $1 || '4') AND given_at < $2",
)
DIRECT: Final = text("""
SELECT CAST(at AT TIME ZONE 'Asia/Shanghai' AS date), door_id, count(*) FILTER (WHERE given),
       count(*) FILTER (WHERE NOT given)
FROM campaign_codes, LATERAL (VALUES (given_at, true), (redeemed_at, false)) AS m (at, given)
WHERE at IS NOT NULL AND void_at IS NULL GROUP BY 1, 2 ORDER BY 1, 2
""")

words = st.one_of(
    st.tuples(st.just(NOTICE), st.sampled_from((("pending", None), ("skipped", "no consent")))),
    st.tuples(
        st.just(EVENT),
        st.tuples(
            st.sampled_from(("popup", "change", "sent")),
            st.sampled_from(("accept", "reject", "ban", "0", None)),
        ),
    ),
    st.tuples(st.sampled_from((*CHANGES, "merge")), st.just(())),
)
moments = st.integers(-60, 60).map(lambda hours: START + timedelta(hours=hours))
Step = tuple[tuple[str, tuple[str | None, ...]], str, datetime]


async def take(connection: asyncpg.Connection, database: Database, step: Step) -> None:
    (kind, more), template, at = step
    if kind == "merge":
        await day_counts.merge(database.sessions, MERGES)
    elif more:
        await connection.execute(kind, [uuid7(), uuid7()], APPID, template, at, *more)
    else:
        await connection.execute(kind, template, at)


async def counted(database: Database, *statements: TextClause) -> list[Sequence[object]]:
    found: list[Sequence[object]] = []
    async with database.sessions() as session:
        for statement in statements:
            found += [tuple(row) for row in await session.execute(statement, dict(PARAMETERS))]
    return found


async def code_figures(database: Database) -> list[Sequence[object]]:
    async with database.sessions() as session:
        found = await by_door_and_day(session, CAMPAIGN, date(2026, 10, 1), date(2026, 11, 30))
    return [(one.day, one.door and one.door.id, one.given, one.redeemed) for one in found]


async def assert_counts_are_right(database: Database) -> None:
    kept = (notice_store.FROM_COUNTS, notice_store.TOTALS_FROM_COUNTS)
    direct = (notice_store.FROM_NOTICES, notice_store.TOTALS_FROM_NOTICES)
    assert await counted(database, *kept, subscription_store.FROM_COUNTS) == await counted(
        database, *direct, subscription_store.FROM_EVENTS
    )
    async with database.sessions() as session:
        assert await code_figures(database) == [tuple(row) for row in await session.execute(DIRECT)]


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(history=st.lists(st.tuples(words, st.sampled_from(("A", "B")), moments), max_size=25))
async def test_counts_stay_those_of_the_rows(
    history: list[Step], database: Database, connection: asyncpg.Connection
) -> None:
    for table in ("notices", "subscription_events", "campaign_codes"):
        await connection.execute(f"DELETE FROM {table}")  # noqa: S608 - constants
    for step in history:
        await take(connection, database, step)

    await assert_counts_are_right(database)
    await day_counts.merge(database.sessions, MERGES)
    await assert_counts_are_right(database)
    for table in ("notice_day_counts", "subscription_day_counts", "code_day_counts"):
        query = f"SELECT count(*) FROM {table} WHERE NOT is_merged OR count = 0"  # noqa: S608
        assert await connection.fetchval(query) == 0


async def test_two_that_merge_at_once_lose_nothing_and_count_nothing_twice(
    database: Database, connection: asyncpg.Connection
) -> None:
    for number in range(30):
        at = START + timedelta(hours=number)
        await take(connection, database, ((NOTICE, ("pending", None)), "A", at))

    async with asyncio.TaskGroup() as group:
        for _ in range(4):
            group.create_task(day_counts.merge(database.sessions, MERGES))

    await assert_counts_are_right(database)


async def test_what_is_there_is_counted_by_the_upgrade_beside_what_is_written_meanwhile(
    empty: Database,
) -> None:
    await migrate.upgrade(empty.engine, "0092")
    kinds = ((NOTICE, ("skipped", "no consent")), (EVENT, ("popup", "accept")))
    before = (*kinds, *((change, ()) for change in CHANGES[-5:-3]))
    meanwhile = ((NOTICE, ("pending", None)), (CHANGES[-3], ()))
    for revision, changes in (("0093", before), ("head", meanwhile)):
        async with empty.sessions.begin() as session:
            connection = await raw_connection(session)
            for kind in changes:
                await take(connection, empty, (kind, "A", START))
        await migrate.upgrade(empty.engine, revision or "head")

    assert len(await code_figures(empty)) > 0
    await assert_counts_are_right(empty)


@pytest.mark.parametrize(
    ("zone", "has"),
    [
        ("Asia/Shanghai", True),
        ("Asia/Singapore", True),
        ("Asia/Tokyo", False),
        ("UTC", False),
        ("Europe/London", False),
        ("Factory/Nowhere", False),
    ],
)
def test_days_are_counted_if_they_are_days_of_utc_plus_8(zone: str, has: bool) -> None:
    assert DateRange(date(2026, 3, 1), date(2027, 2, 28), zone).has_counted_days is has


def test_days_are_not_counted_where_an_hour_was_added() -> None:
    summer = DateRange(date(2026, 1, 1), date(2026, 1, 2), "Asia/Irkutsk")
    assert summer.has_counted_days
    assert not DateRange(date(2012, 1, 1), date(2012, 1, 2), "Asia/Irkutsk").has_counted_days
