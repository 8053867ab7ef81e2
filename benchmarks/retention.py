"""Measures what retention costs a callback, as a ratio within one run.

`python -m benchmarks.retention` fills a temporary Postgres with callbacks that are too old, starts
`oa-bridge serve` with two web processes, and sends callbacks to it in pairs of turns: once while
contents are cleared as the worker clears them, and once while none are. Which turn of a pair comes
first changes with each pair. It prints each pair and the median of their ratios, and fails if the
median is below the aim.
"""

import argparse
import asyncio
import random
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from app.callback import erase as inbox
from app.db.engine import Database, connect, open_database
from app.privacy.retention import retain
from benchmarks import database, load_client, servers
from benchmarks.history_reading import FAST_WRITES, temporary_postgres
from benchmarks.keywords import Keywords
from benchmarks.load_client import Load
from benchmarks.turns import Turns

RULES: Final = 200
AIM: Final = 0.9
KEPT: Final = timedelta(days=30)
FILL: Final = """
INSERT INTO callbacks (id, appid, dedupe_key, openid, msgtype, occurred_at, received_at, payload)
SELECT gen_random_uuid(), 'wx',
       substr(int8send(extract(epoch FROM $1::timestamptz + n * interval '1 ms')::bigint), 5)
       || uuid_send(gen_random_uuid()), 'o' || n % 300000, 'text',
       $1::timestamptz + n * interval '1 ms', $1::timestamptz + n * interval '1 ms',
       jsonb_build_object('ToUserName', 'gh_0123456789ab', 'FromUserName', 'o' || n % 300000,
                          'CreateTime', '1700000000', 'MsgType', 'text', 'MsgId', n::text,
                          'Content', repeat('文', 20))
FROM generate_series(1, $2::int) n
"""


@dataclass(slots=True)
class Clearing:
    """Contents that a thread clears. seconds: how long it has cleared them."""

    cleared: int = 0
    seconds: float = 0.0
    ended: threading.Event = field(default_factory=threading.Event)


@contextmanager
def clearing(url: str, wanted: bool) -> Iterator[Clearing]:
    """Clear what is too old, if wanted, without an end."""
    found = Clearing()
    thread = threading.Thread(target=lambda: asyncio.run(_clear(url, found)))
    if wanted:
        thread.start()
    try:
        yield found
    finally:
        found.ended.set()
        if wanted:
            thread.join()


async def _clear(url: str, found: Clearing) -> None:
    opened = open_database(url)
    clearing = asyncio.create_task(_clear_all(opened, found))
    began = time.monotonic()
    await asyncio.to_thread(found.ended.wait)
    found.seconds = time.monotonic() - began
    clearing.cancel()
    await asyncio.gather(clearing, return_exceptions=True)
    connection = await connect(url)
    found.cleared = await connection.fetchval("SELECT count(*) FROM callbacks WHERE payload = '{}'")
    await connection.close()
    await opened.close()


async def _clear_all(opened: Database, found: Clearing) -> None:
    while not found.ended.is_set():
        if not await retain(opened.sessions, inbox, datetime.now(UTC) - KEPT):
            sys.exit("everything is cleared; fill more rows")


@dataclass(slots=True)
class Bench:
    """What all turns share. cleared: contents so far."""

    turns: Turns
    url: str
    port: int
    cleared: int = 0

    def turn(self, number: int, *, retains: bool) -> tuple[Load, float]:
        """Send callbacks for some seconds; return the load, and contents cleared a second."""
        with clearing(self.url, retains) as found:
            load = self.turns.load(self.port, number)
        if not retains:
            return load, 0.0
        new, self.cleared = found.cleared - self.cleared, found.cleared
        return load, new / found.seconds

    def pair(self, number: int) -> float:
        """Measure both ways, in an order that changes; print them and return their ratio."""
        order = (False, True) if number % 2 else (True, False)
        found = {one: self.turn(2 * number + place, retains=one) for place, one in enumerate(order)}
        (without, _), (during, cleared) = found[False], found[True]
        ratio = during.per_second / without.per_second
        print(
            f"| {number} | {without.per_second:,.0f} | {during.per_second:,.0f} | {ratio:.3f} "
            f"| {without.p99_ms:.1f} | {during.p99_ms:.1f} | {cleared:,.0f} |",
            flush=True,
        )
        return ratio


async def prepare(url: str, rows: int) -> None:
    """Fill the database with rules and with callbacks that are too old."""
    await database.fill(url, Keywords.draw(RULES, random.Random(1)))
    connection = await connect(url)
    for statement in FAST_WRITES:
        await connection.execute(statement)
    await connection.execute(FILL, datetime.now(UTC) - KEPT - timedelta(days=2), rows, timeout=3600)
    await connection.execute("VACUUM ANALYZE", timeout=3600)
    await connection.close()


def main() -> None:
    """Read the options and run."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rows", type=int, default=1_000_000, help="callbacks that are too old")
    options.add_argument("--pairs", type=int, default=7)
    options.add_argument("--seconds", type=float, default=4.0, help="of one turn")
    chosen = options.parse_args()
    with temporary_postgres() as url, tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        asyncio.run(prepare(url, chosen.rows))
        program = load_client.build(folder)
        with servers.service(folder / "serve", url) as server:
            bench = Bench(Turns(program, folder, RULES, chosen.seconds), url, server.port)
            bench.turn(0, retains=True)  # warms everything up
            print("| pair | per s without | with | ratio | p99 ms without | with | cleared a s |")
            print("|---|---|---|---|---|---|---|")
            ratios = [bench.pair(number + 1) for number in range(chosen.pairs)]
    ratio = statistics.median(ratios)
    print(f"\nWhile contents are cleared: {ratio:.3f} of the callbacks per second.")
    if ratio < AIM:
        sys.exit(f"the aim is {AIM}")


if __name__ == "__main__":
    main()
