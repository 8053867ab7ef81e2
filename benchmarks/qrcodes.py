"""Measures the list of QR codes, and how fast scans are counted.

`python -m benchmarks.qrcodes` fills a temporary Postgres with 100,000 codes of two accounts, each
with figures of ten days, and with 100,000 scans, follows and unfollows that are not counted yet. It
prints the medians of the pages of the list and of the figures of one code, and how many events a
second are counted. It fails if a page takes 50 ms or more.
"""

import argparse
import asyncio
import statistics
import sys
import time
from collections.abc import Awaitable, Callable
from datetime import date
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.clock import SystemClock
from app.db import migrate
from app.db.engine import Database, connect, open_database
from app.qrcodes import figures_store, store
from app.qrcodes.count import count
from app.qrcodes.models import QrCode
from benchmarks.history_reading import temporary_postgres

MAX_MS = 50.0
TIMES = 25
EVENTS = 100_000
FILL = (
    """
    INSERT INTO qrcodes (id, slug, name, appid, kind, scene, created_at, url, ticket, expires_at,
                         renew_at, attempts, may_exist, scans, new_follows)
    SELECT md5(n::text)::uuid, 's' || n, 'Store ' || n, 'wx' || n % 2, 'temporary', 'scene_' || n,
           timestamptz '2026-01-01Z', 'http://weixin.qq.com/q/' || md5(n::text), repeat('t', 96),
           now() + interval '20 days', now() + interval '13 days', 0, true, n, n / 2
    FROM generate_series(1, $1::bigint) n
    """,
    """
    INSERT INTO qrcode_days (qrcode_id, day, scans, new_follows)
    SELECT id, date '2026-11-18' + CAST(d AS int), d, d / 2
    FROM qrcodes, generate_series(1, $1::bigint) d
    """,
    """
    INSERT INTO follow_events (id, appid, openid, action, scene, occurred_at)
    SELECT gen_random_uuid(), 'wx' || n % 2, 'o' || n / 4,
           CASE n % 4 WHEN 0 THEN 'follow' WHEN 3 THEN 'unfollow' ELSE 'scan' END,
           CASE WHEN n % 4 < 3 THEN 'scene_' || n END,
           timestamptz '2026-11-27Z' + n * interval '1 second'
    FROM generate_series(1, $1::bigint) n
    """,
    "INSERT INTO qrcode_counts (appid, kind, count) SELECT 'wx' || n, 'temporary', $1::bigint "
    "FROM generate_series(0, 1) n",
)

Read = Callable[[AsyncSession], Awaitable[object]]


async def measured(database: Database, read: Read) -> float:
    """Return the median time of a read in milliseconds."""
    times = []
    for _ in range(TIMES):
        async with database.sessions() as session:
            began = time.perf_counter()
            await read(session)
            times.append((time.perf_counter() - began) * 1000)
    return statistics.median(times)


def reads(middle: UUID) -> dict[str, Read]:
    """Return what is measured, by name. middle: the code in the middle of the list."""
    first, last = date(2026, 10, 30), date(2026, 11, 28)
    return {
        "100 codes, first page": lambda s: store.page(s, before=None, limit=101),
        "100 codes, middle page": lambda s: store.page(s, before=middle, limit=101),
        "500 codes, middle page": lambda s: store.page(s, before=middle, limit=501),
        "of an account": lambda s: store.page(s, before=middle, limit=101, appid="wx1"),
        "of a scene": lambda s: store.page(s, before=None, limit=101, scene="scene_777"),
        "figures of 30 days": lambda s: figures_store.days(s, middle, first, last),
    }


async def run(url: str, codes: int) -> bool:
    """Fill, read and print; return whether every page was fast."""
    database = open_database(url)
    await migrate.upgrade(database.engine)
    connection = await connect(url, None)
    for statement, number in zip(FILL, (codes, 10, EVENTS, codes // 2), strict=True):
        await connection.execute(statement, number)
    await connection.execute("VACUUM ANALYZE")
    async with database.sessions() as session:
        middle = (
            await session.scalars(select(QrCode.id).order_by(QrCode.id).offset(codes // 2).limit(1))
        ).one()
    good = True
    print(f"| of {codes:,} codes | median |\n|---|---|")
    for name, read in reads(middle).items():
        took = await measured(database, read)
        good &= took < MAX_MS
        print(f"| {name} | {took:.1f} ms |")
    began = time.perf_counter()
    await count(database.sessions, SystemClock())
    print(f"| events counted a second | {EVENTS / (time.perf_counter() - began):,.0f} |")
    await connection.close()
    await database.close()
    return good


def main() -> None:
    """Read the options and run."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--codes", type=int, default=100_000)
    codes = options.parse_args().codes
    with temporary_postgres() as url:
        good = asyncio.run(run(url, codes))
    if not good:
        sys.exit("a page took too long")


if __name__ == "__main__":
    main()
