"""Measures how fast the funnel of a year is read, and how fast pushes are counted.

`python -m benchmarks.funnel` fills a temporary Postgres with the touches of a year: 10,000,000
pushes of 400,000 people, who write more often the lower their number, answered by 200 rules of
which the first ones answer most, a tenth of them by one of 100 QR codes. What a rule answers
belongs to a campaign of the whole year, and is counted within it by rule and by code. It makes the
sums of them, as the worker does after a change of the settings. It prints the
medians of the figures, each with those of as many days to compare them with, and how many pushes a
second are counted. It fails if any figures take 200 ms or more.
"""

import argparse
import asyncio
import statistics
import sys
import time
from datetime import date, timedelta

from sqlalchemy import text

from app.db import migrate
from app.db.engine import Database, connect, open_database
from app.db.index_builder import build_indexes
from app.funnel.count import count
from app.funnel.make_sums import make_sums
from app.funnel.steps import Basis, DoorKind
from app.stats import funnel_store
from app.stats.date_range import DateRange
from app.stats.funnel_store import FunnelWanted
from benchmarks.history_reading import temporary_postgres

MAX_MS = 200.0
TIMES = 15
BASIS = Basis("Asia/Shanghai", 7, 30)
FIRST_DAY = date(2025, 1, 1)
APPID = "wx0000000000000001"
CAMPAIGN = "0193f000-0000-7000-8000-000000000001"
TOUCHES = """
INSERT INTO funnel_touches (id, source, appid, person, at, doors, matched, followed, sent,
                            opened_after, converted_after, opened_exact, converted_exact)
SELECT gen_random_uuid(), 'push', $2, 'o' || CAST(floor(400000 * power(random(), 2)) AS int),
       timestamptz '2025-01-01 00:00+08'
           + interval '1 second' * (CAST(n AS float8) / $1 * 365 * 86400),
       d.own || CASE WHEN n % 10 < 7
                     THEN ARRAY['campaign:', 'campaign:' || $3] || ARRAY(
                         SELECT 'within:' || $3 || '/' || door FROM unnest(d.own) AS door
                         WHERE door <> ''
                     ) ELSE '{}' END,
       n % 10 < 7, false, n % 10 < 6, CASE WHEN n % 10 < 2 THEN n % 900000 END,
       CASE WHEN n % 50 = 0 THEN n % 3000000 END, true, true
FROM generate_series(1, $1::bigint) n CROSS JOIN LATERAL (
    SELECT ARRAY['']
        || CASE WHEN n % 10 < 7
                THEN ARRAY['rule:' || CAST(1 + floor(200 * power(random(), 3)) AS int)]
                ELSE '{}' END
        || CASE WHEN n % 10 = 3 THEN ARRAY['qrcode:', 'qrcode:' || n / 10 % 100] ELSE '{}' END
        AS own
    OFFSET 0
) AS d
"""
CALLBACKS = """
WITH person AS (
    INSERT INTO openids (appid, openid, first_seen_at, last_seen_at)
    SELECT $2, 'o' || n, now(), now() FROM generate_series(0, 399999) n
)
INSERT INTO callbacks (id, appid, dedupe_key, openid, msgtype, occurred_at, received_at, payload,
                       rule_id, passive_id)
SELECT CAST(left(CAST(oa_bridge_first_id(now() - interval '1 hour') AS text), 19)
            || right(CAST(gen_random_uuid() AS text), 17) AS uuid), $2,
       int4send(CAST(n AS int)) || uuid_send(gen_random_uuid()),
       'o' || CAST(floor(400000 * power(random(), 2)) AS int), 'text',
       timestamptz '2026-01-01 00:00+08' + n * interval '1 second', now(), '{}', 1 + n % 200,
       gen_random_uuid()
FROM generate_series(1, $1::bigint) n
"""


async def fill(url: str, touches: int, callbacks: int) -> None:
    """Fill the tables, and make the sums."""
    connection = await connect(url, None)
    await connection.execute(TOUCHES, touches, APPID, CAMPAIGN)
    await connection.execute(CALLBACKS, callbacks, APPID)
    await connection.execute("VACUUM ANALYZE")
    await connection.close()
    database = open_database(url)
    began = time.perf_counter()
    await make_sums(database.sessions, BASIS)
    print(f"sums of {touches:,} touches: {time.perf_counter() - began:.0f} s")
    await database.close()
    connection = await connect(url, None)
    await connection.execute("VACUUM ANALYZE")
    await connection.close()


def wanted(days: int, kind: DoorKind, door: str = "", campaign: str = "") -> FunnelWanted:
    """Return a question about the last days of the year."""
    until = FIRST_DAY + timedelta(days=364)
    since = until - timedelta(days=days - 1)
    days_asked = DateRange(since, until, BASIS.time_zone)
    return FunnelWanted([APPID], days_asked, BASIS, kind, door, campaign)


async def measured(database: Database, question: FunnelWanted) -> float:
    """Return the median time of the figures with a span to compare them with, in milliseconds.

    It is compared with itself, since there is nothing before the year.
    """
    times = []
    for _ in range(TIMES):
        async with database.sessions() as session:
            began = time.perf_counter()
            await funnel_store.read(session, question)
            await funnel_store.read_total(session, question, question.date_range)
            times.append((time.perf_counter() - began) * 1000)
    return statistics.median(times)


async def run(url: str, touches: int, callbacks: int) -> bool:
    """Print the figures; return whether all are fast enough."""
    await fill(url, touches, callbacks)
    database = open_database(url)
    questions = {
        "a year": wanted(365, DoorKind.ACCOUNT),
        "100 days": wanted(100, DoorKind.ACCOUNT),
        "a year of one rule": wanted(365, DoorKind.RULE, "1"),
        **{f"a year by {kind}": wanted(365, kind) for kind in DoorKind},
        "a year of one campaign": wanted(365, DoorKind.CAMPAIGN, CAMPAIGN),
        **{
            f"a year within a campaign by {kind}": wanted(365, kind, campaign=CAMPAIGN)
            for kind in DoorKind
            if kind is not DoorKind.CAMPAIGN
        },
        "a year within a campaign of one rule": wanted(365, DoorKind.RULE, "1", CAMPAIGN),
    }
    slowest = 0.0
    for name, question in questions.items():
        milliseconds = await measured(database, question)
        slowest = max(slowest, milliseconds)
        print(f"{name}: {milliseconds:.1f} ms")
    began = time.perf_counter()
    await count(database.sessions, BASIS)
    seconds = time.perf_counter() - began
    async with database.sessions() as session:
        counted = await session.scalar(text("SELECT count(*) FROM funnel_touches"))
    if counted != touches + callbacks:
        sys.exit(f"{callbacks} pushes were to be counted, {counted - touches} were")
    print(f"counted: {callbacks / seconds:,.0f} pushes/s")
    await database.close()
    return slowest < MAX_MS


async def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--touches", type=int, default=10_000_000)
    parser.add_argument("--callbacks", type=int, default=20_000)
    arguments = parser.parse_args()
    with temporary_postgres() as url:
        database = open_database(url)
        await migrate.upgrade(database.engine)
        await build_indexes(database.engine)
        await database.close()
        if not await run(url, arguments.touches, arguments.callbacks):
            sys.exit(f"the figures took {MAX_MS} ms or more")


if __name__ == "__main__":
    asyncio.run(main())
