"""Measures pages of all lists on large tables and checks that indexes are used.

`python -m benchmarks.history_reading --rows 10000000` fills follow_events, subscription_events
and followers with that many rows each in a temporary Postgres. Then it reads, for each list and
filter, the first page and one in the middle, also pages of exports and the timeline of a person. It
prints the slower of the two medians and the scans of the plan. It fails if a page takes 50 ms or
more (200 ms for an export), or if a plan reads a whole table.
"""

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncSession

from app.db import embedded, migrate
from app.db.engine import Database, connect, open_database
from app.events import store
from app.events.cursor import ByArrival, ByTime
from app.events.export import ROWS_AT_ONCE
from app.events.query import FOLLOW_EVENTS, FOLLOWERS, SUBSCRIPTION_EVENTS, ListQuery, ListSpec
from app.events.query_params import MAX_PAGE_ROWS
from app.identity import store as identity
from app.users import store as users

START = datetime(2024, 1, 1, tzinfo=UTC)
SPAN = timedelta(days=1000)
MAX_MS = 50.0
MAX_EXPORT_MS = 200.0
TIMES = 15

# There are five accounts, and the first has most of the rows. One kind of event is rare, and so is
# the scene `rare`; the other scenes have many rows each.
FILL = {
    "follow_events": """
        INSERT INTO follow_events (id, appid, openid, unionid, action, scene, occurred_at, position)
        SELECT md5(n::text)::uuid, 'wx' || CASE WHEN n % 10 < 6 THEN 0 ELSE n % 5 END,
               'o' || n % ($1 / 3 + 1), 'u' || n % ($1 / 3 + 1),
               CASE WHEN n % 10 < 7 THEN 'follow' WHEN n % 1000 = 999 THEN 'scan'
                    ELSE 'unfollow' END,
               CASE WHEN n % 1000003 = 7 THEN 'rare' WHEN n % 4 = 0 THEN 's' || n % 200 END,
               timestamptz '2024-01-01Z' + n * (interval '1000 days' / $1), n
        FROM generate_series(1, $1) n
    """,
    "subscription_events": """
        INSERT INTO subscription_events (id, callback_id, appid, openid, unionid, action,
                                         template_id, popup_scene, occurred_at, position)
        SELECT gen_random_uuid(), gen_random_uuid(),
               'wx' || CASE WHEN n % 10 < 6 THEN 0 ELSE n % 5 END,
               'o' || n % ($1 / 3 + 1), 'u' || n % ($1 / 3 + 1),
               CASE WHEN n % 10 < 7 THEN 'popup' WHEN n % 1000 = 999 THEN 'change'
                    ELSE 'sent' END, 'T' || n % 3,
               CASE WHEN n % 1000003 = 7 THEN 'rare' WHEN n % 10 < 7 THEN (n % 3)::text END,
               timestamptz '2024-01-01Z' + n * (interval '1000 days' / $1), n
        FROM generate_series(1, $1) n
    """,
    "followers": """
        INSERT INTO followers (appid, openid, unionid, following, followed_at, followed_id, scene,
                               last_at, last_id, position)
        SELECT 'wx' || CASE WHEN n % 10 < 6 THEN 0 ELSE n % 5 END, 'o' || n, 'u' || n,
               n % 10 < 8, timestamptz '2024-01-01Z' + n * (interval '1000 days' / $1),
               md5(n::text)::uuid,
               CASE WHEN n % 1000003 = 7 THEN 'rare' WHEN n % 4 = 0 THEN 's' || n % 200 END,
               timestamptz '2024-01-01Z' + n * (interval '1000 days' / $1),
               gen_random_uuid(), n
        FROM generate_series(1, $1) n
    """,
    "openids": """
        INSERT INTO openids (appid, openid, unionid, first_seen_at, last_seen_at, resolve_state)
        SELECT 'wx' || account, 'o' || n, 'u' || n, timestamptz '2024-01-01Z',
               timestamptz '2026-01-01Z', 'resolved'
        FROM generate_series(0, 4) account, generate_series(0, $1 / 3) n
    """,
}
LISTS: tuple[tuple[ListSpec[Any], str | bool], ...] = (
    (FOLLOW_EVENTS, "scan"),
    (SUBSCRIPTION_EVENTS, "change"),
    (FOLLOWERS, False),
)


@dataclass(frozen=True)
class SentStatement:
    """One statement as it was sent to the database."""

    sql: str
    arguments: tuple[Any, ...]


def of_a_month(query: ListQuery) -> ListQuery:
    """Return the query for a month near the end of the list."""
    return replace(query, start=START + SPAN * 0.9, until=START + SPAN * 0.93)


def filters(kind: str | bool) -> dict[str, ListQuery]:
    """Return queries with every kind of filter, by name; some match many rows and some few."""
    plain = ListQuery(limit=100)
    common = "0" if kind == "change" else "s100"
    return {
        "none": plain,
        "account": replace(plain, appid="wx0"),
        "kind": replace(plain, kind=kind),
        "account, kind": replace(plain, appid="wx0", kind=kind),
        "scene": replace(plain, scene=common),
        "scene, rare": replace(plain, scene="rare"),
        "account, scene, kind": replace(plain, appid="wx0", scene=common, kind=kind),
        "time": of_a_month(plain),
        "account, time": of_a_month(replace(plain, appid="wx0")),
        "kind, time": of_a_month(replace(plain, kind=kind)),
        "scene, time": of_a_month(replace(plain, scene=common)),
        "no end, scene, time": replace(plain, scene="rare", start=START),
        "person": replace(plain, unionid="u77"),
        "OpenID": replace(plain, openid="o77"),
        **_long(replace(plain, limit=MAX_PAGE_ROWS), common, kind),
        **_long(replace(plain, limit=ROWS_AT_ONCE), common, kind),
    }


def _long(plain: ListQuery, scene: str, kind: str | bool) -> dict[str, ListQuery]:
    """Return queries with long pages, for which Postgres may prefer to sort a whole table."""
    queries = {
        "none": plain,
        "no end": replace(plain, start=START),
        "no start": replace(plain, until=START + SPAN),
        "time": of_a_month(plain),
        "no end, account, kind": replace(plain, start=START, appid="wx0", kind=kind),
        "scene": replace(plain, scene=scene),
        "no end, scene": replace(plain, start=START, scene=scene),
    }
    return {f"{name}; {plain.limit} rows": one for name, one in queries.items()}


def middle(query: ListQuery, rows: int) -> ListQuery:
    """Return the query for a page in the middle of the list."""
    if not query.by_time:
        return replace(query, after=ByArrival(rows // 2))
    start = query.start or START
    half = start + ((query.until or START + SPAN) - start) / 2
    return replace(query, after=ByTime(rows, half, 0))


# The database is removed afterwards: nothing has to survive a power failure.
FAST_WRITES = (
    "ALTER SYSTEM SET fsync = off",
    "ALTER SYSTEM SET max_wal_size = '4GB'",
    "ALTER SYSTEM SET checkpoint_timeout = '1h'",
    "SELECT pg_reload_conf()",
)


async def fill(connection: asyncpg.Connection, table: str, rows: int) -> None:
    """Fill a table and create its indexes afterwards, which is much faster."""
    indexes = await connection.fetch(
        "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = $1 "
        "AND indexname NOT LIKE 'pk_%'",
        table,
    )
    for index in indexes:
        await connection.execute(f"DROP INDEX {index['indexname']}")
    began = time.monotonic()
    await connection.execute(FILL[table], rows, timeout=3600)
    for index in indexes:
        await connection.execute(index["indexdef"], timeout=3600)
    await connection.execute(f"VACUUM ANALYZE {table}", timeout=3600)
    print(f"{table}: {rows:,} rows in {time.monotonic() - began:.0f} s", file=sys.stderr)


ReadPage = Callable[[AsyncSession], Awaitable[object]]


async def measure(
    database: Database, connection: asyncpg.Connection, read_page: ReadPage
) -> tuple[float, set[str]]:
    """Return the median time of a page in ms, and the scans of its plans."""
    statements: list[SentStatement] = []

    def note(_: object, __: object, sql: str, arguments: Sequence[Any], *___: object) -> None:
        statements.append(SentStatement(sql, tuple(arguments)))

    event.listen(database.engine.sync_engine, "before_cursor_execute", note)
    taken = []
    for _ in range(TIMES):
        statements.clear()
        async with database.sessions() as session:
            began = time.perf_counter()
            await read_page(session)
            taken.append((time.perf_counter() - began) * 1000)
    event.remove(database.engine.sync_engine, "before_cursor_execute", note)
    return statistics.median(taken), await plans(connection, statements)


async def plans(connection: asyncpg.Connection, statements: Sequence[SentStatement]) -> set[str]:
    """Return the scans in the plans of a page's statements, with the settings that they make."""
    lines: list[str] = []
    async with connection.transaction():
        for one in statements:
            if "set_config" in one.sql:
                await connection.execute(one.sql, *one.arguments)
            elif "RECURSIVE" not in one.sql:  # not the statement that lists the accounts
                plan = await connection.fetch(f"EXPLAIN {one.sql}", *one.arguments)
                lines += [line for (line,) in plan]
    return {
        line.strip(" ->").split("  ")[0].split(" on one_range")[0]
        for line in lines
        if "Scan" in line and not any(no in line for no in ("Function", "Subquery", "CTE"))
    }


def pages(rows: int) -> Iterator[tuple[str, float, ReadPage, ReadPage]]:
    """Yield name, maximum time in ms, first page and page in the middle of each list and filter."""
    for listed, kind in LISTS:
        for name, query in filters(kind).items():
            max_ms = MAX_EXPORT_MS if query.limit > MAX_PAGE_ROWS else MAX_MS
            first, deep = page_of(listed, query), page_of(listed, middle(query, rows))
            yield f"{listed.table.__tablename__} | {name}", max_ms, first, deep
    half = ByTime(rows, START + SPAN / 2, 0)
    yield "timeline | person", MAX_MS, timeline_of("u77", None), timeline_of("u77", half)


def page_of(listed: ListSpec[Any], query: ListQuery) -> ReadPage:
    """Return a function that reads a page of a list."""
    return lambda session: store.page(session, listed, query)


def timeline_of(unionid: str, before: ByTime | None) -> ReadPage:
    """Return a function that reads a page of a person's timeline."""

    async def read_page(session: AsyncSession) -> object:
        known = await identity.of_unionid(session, unionid, store.MAX_OPENIDS)
        keys = [(row.appid, row.openid) for row in known]
        return await users.timeline(session, unionid, keys, before=before, limit=100)

    return read_page


@contextmanager
def temporary_postgres() -> Iterator[str]:
    """Start a Postgres that is removed afterwards; yield its URL."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)
        try:
            yield embedded.start(folder)
        finally:
            embedded.stop(folder)


async def run(url: str, rows: int) -> bool:
    """Fill the tables, read and print; return whether every page was fast and read by an index."""
    database = open_database(url)
    await migrate.upgrade(database.engine)
    connection = await connect(url)
    for statement in FAST_WRITES:
        await connection.execute(statement)
    await connection.execute("SET maintenance_work_mem = '512MB'")
    # The trigger would add an identity event for each row, which takes very long.
    await connection.execute("ALTER TABLE openids DISABLE TRIGGER USER")
    for table in FILL:
        await fill(connection, table, rows)
    await connection.execute("SELECT setval('history_position', $1)", rows)
    print("| list | filter | page | plan |\n|---|---|---|---|")
    good = True
    for name, max_ms, first_page, middle_page in pages(rows):
        first, reads = await measure(database, connection, first_page)
        deep, more = await measure(database, connection, middle_page)
        slower, plan = max(first, deep), "; ".join(sorted(reads | more))
        good &= slower < max_ms and "Seq Scan" not in plan
        print(f"| {name} | {slower:.1f} ms | {plan} |")
    await connection.close()
    await database.close()
    return good


def main() -> None:
    """Read the options and run."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rows", type=int, default=10_000_000)
    rows = options.parse_args().rows
    with temporary_postgres() as url:
        good = asyncio.run(run(url, rows))
    if not good:
        sys.exit("a page took too long, or was not read by an index")


if __name__ == "__main__":
    main()
