"""Measures how fast taps on menus are counted, with many versions that share their keys.

`python -m benchmarks.menu_taps --taps 1000000` fills the taps that wait and the buttons of 500
versions in a temporary Postgres, and counts the taps batch by batch as the sweep does. It fails if
fewer than 5,000 taps a second are counted, or if the last batch takes more than four times as long
as the first one.
"""

import argparse
import asyncio
import sys
import time
from typing import Final

import asyncpg

from app.db import migrate
from app.db.engine import connect, open_database
from app.menus.taps import COUNT, MAX_COUNTED
from benchmarks.history_reading import FAST_WRITES, temporary_postgres

APPID: Final = "wx0000000000000001"
VERSIONS: Final = 500
MIN_A_SECOND: Final = 5000
MAX_SLOWER: Final = 4

# Three buttons in the default menu and in two conditional ones; half of the taps name a menu.
FILL: Final = (
    """
    INSERT INTO menu_buttons (appid, number, position, event, event_key, menu_id, live_from)
    SELECT $2, version, CASE WHEN menu > 0 THEN 'c' || menu || '-' ELSE '' END || button, 'CLICK',
           'key-' || button, CASE WHEN menu > 0 THEN (version * 10 + menu)::text END,
           timestamptz '2026-01-01Z' + version * interval '1 hour'
    FROM generate_series(1, $1) version, generate_series(0, 2) menu, generate_series(1, 3) button
    """,
    """
    INSERT INTO menu_taps (callback_id, appid, event, event_key, menu_id, occurred_at)
    SELECT gen_random_uuid(), $2, 'CLICK', 'key-' || (n % 4 + 1),
           CASE WHEN n % 2 = 0 THEN (n % 500 * 10 + 1)::text END,
           timestamptz '2026-01-01Z' + n % 500 * interval '1 hour'
    FROM generate_series(1, $1) n
    """,
)


async def run(url: str, taps: int) -> bool:
    """Fill and count; return whether it was fast enough."""
    database = open_database(url)
    await migrate.upgrade(database.engine)
    connection = await connect(url)
    for statement in FAST_WRITES:
        await connection.execute(statement)
    await _fill(connection, taps)
    times = []
    counted = 0
    while counted < taps:
        began = time.perf_counter()
        async with database.sessions.begin() as session:
            found = (await session.execute(COUNT, {"most": MAX_COUNTED})).scalar_one()
        times.append(time.perf_counter() - began)
        counted += found
        if not found:
            break
    rate, slower = counted / sum(times), times[-1] / times[0]
    print("| taps | versions | a second | last batch / first |\n|---|---|---|---|")
    print(f"| {counted:,} | {VERSIONS} | {rate:,.0f} | {slower:.1f} |")
    await connection.close()
    await database.close()
    return counted == taps and rate >= MIN_A_SECOND and slower <= MAX_SLOWER


async def _fill(connection: asyncpg.Connection, taps: int) -> None:
    buttons, waiting = FILL
    await connection.execute(buttons, VERSIONS, APPID)
    await connection.execute(waiting, taps, APPID, timeout=3600)
    await connection.execute("VACUUM ANALYZE", timeout=3600)


def main() -> None:
    """Read the options and run."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--taps", type=int, default=1_000_000)
    taps = options.parse_args().taps
    with temporary_postgres() as url:
        good = asyncio.run(run(url, taps))
    if not good:
        sys.exit("taps were counted too slowly")


if __name__ == "__main__":
    main()
