"""Of a long list no more rows are read than a few pages, however long a page is."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.engine import Database
from app.events import store
from app.events.cursor import ByTime
from app.events.query import FOLLOW_EVENTS, FOLLOWERS, ListQuery, ListSpec
from tests.service import APPID

PEOPLE = 30_000
FILL = (
    """
    INSERT INTO follow_events (id, appid, openid, action, scene, occurred_at, position)
    SELECT gen_random_uuid(), $1, 'oPERSON' || n, 'follow',
           CASE WHEN n % 4 = 0 THEN 's' || n % 16 END,
           timestamptz '2026-01-01Z' + n * interval '1 minute', n
    FROM generate_series(1, $2) n
    """,
    """
    INSERT INTO followers (appid, openid, following, followed_at, followed_id, scene, last_at,
                           last_id, position)
    SELECT appid, openid, position % 10 < 8, occurred_at, id, scene, occurred_at, id, position
    FROM follow_events WHERE appid = $1 AND position <= $2
    """,
)
START = datetime(2026, 1, 1, tzinfo=UTC)
MIDDLE = ByTime(PEOPLE, datetime(2026, 1, 6, tzinfo=UTC), 0)
LONG = ListQuery(limit=500, start=START, after=MIDDLE)
QUESTIONS = {
    "from": LONG,
    "until": replace(LONG, start=None, until=datetime(2026, 1, 20, tzinfo=UTC)),
    "scene, from": replace(LONG, scene="s4"),
    "scene": ListQuery(limit=1000, scene="s4"),
    "export": replace(LONG, limit=2000),
}
READ = text(
    "SELECT sum(seq_tup_read + idx_tup_fetch) FROM pg_stat_xact_user_tables WHERE relname = :name"
)


@pytest.mark.parametrize("listed", [FOLLOW_EVENTS, FOLLOWERS], ids=["follow events", "followers"])
async def test_a_long_page_reads_its_rows_and_no_whole_account(
    database: Database, connection: asyncpg.Connection, listed: ListSpec[Any]
) -> None:
    for statement in FILL:
        await connection.execute(statement, APPID, PEOPLE)
    await connection.execute("SELECT setval('history_position', $1)", PEOPLE)
    await connection.execute("VACUUM ANALYZE follow_events, followers")
    read = {}
    for name, wanted in QUESTIONS.items():
        async with database.sessions() as session:
            before = await rows_read(session, listed)
            page = await store.page(session, listed, wanted)
            read[name] = await rows_read(session, listed) - before
        assert len(page.rows) == wanted.limit, name

    # Of each kind a page, and one row for each account.
    most = {name: len(listed.kinds) * (one.limit + 2) for name, one in QUESTIONS.items()}
    assert {name: rows for name, rows in read.items() if rows > most[name]} == {}


async def rows_read(session: AsyncSession, listed: ListSpec[Any]) -> int:
    """Return how many rows of the table the connection has read lately."""
    found: Decimal = await session.scalar(READ, {"name": listed.table.__tablename__}) or Decimal(0)
    return int(found)
