"""Measures what large tables cost a callback, as a ratio within one run.

`python -m benchmarks.table_growth --rows 30000000` fills one of two databases of a temporary
Postgres with that many callbacks of the last 30 days and a tenth as many followers, starts an
`oa-bridge serve` with two web processes for each, and sends callbacks to both in pairs of turns:
of new people, or with `--known-senders` of any of the stored followers.
Which one is first changes with each pair. It prints each pair and the medians of their ratios, and
fails if a callback to the full database costs the processes more than the aim allows.
"""

import argparse
import asyncio
import math
import random
import statistics
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from app.db import embedded
from app.db.engine import connect
from benchmarks import database, load_client, peer, servers
from benchmarks.console_fill import fill
from benchmarks.cpu import cpu_seconds
from benchmarks.database import Postgres
from benchmarks.history_reading import FAST_WRITES
from benchmarks.keywords import Keywords
from benchmarks.load_client import Load
from benchmarks.turns import Turns

RULES: Final = 200
AIM: Final = 1.1
# The numbers of its turns begin here: no pair has one of them.
WARM_UP_TURNS: Final = 1_000_000
TABLES: Final = ("callbacks", "openids", "followers")


@dataclass(frozen=True, slots=True)
class Cost:
    """One turn. cpu_ms: of Postgres and the web processes together, for each callback."""

    load: Load
    cpu_ms: float


@dataclass(frozen=True, slots=True)
class Bench:
    """What all turns share."""

    turns: Turns
    postgres: Postgres

    def turn(self, server: servers.Server, number: int) -> Cost:
        """Send callbacks to one of the services."""
        before = cpu_seconds(server.pid) + cpu_seconds(self.postgres.pid)
        load = self.turns.load(server.port, number)
        spent = cpu_seconds(server.pid) + cpu_seconds(self.postgres.pid) - before
        return Cost(load, spent * 1000 / load.answered)

    def pair(self, number: int, both: Sequence[servers.Server]) -> tuple[float, float]:
        """Measure the empty and the full database; return the ratios of throughput and CPU."""
        order = (0, 1) if number % 2 else (1, 0)
        found = {one: self.turn(both[one], 2 * number + place) for place, one in enumerate(order)}
        empty, full = found[0], found[1]
        throughput = full.load.per_second / empty.load.per_second
        cpu = full.cpu_ms / empty.cpu_ms
        print(
            f"| {number} | {empty.load.per_second:,.0f} | {full.load.per_second:,.0f} "
            f"| {throughput:.3f} | {empty.cpu_ms:.3f} | {full.cpu_ms:.3f} | {cpu:.3f} "
            f"| {empty.load.p99_ms:.1f} | {full.load.p99_ms:.1f} |",
            flush=True,
        )
        return throughput, cpu


async def prepare(url: str, rows: int) -> None:
    """Migrate a database, store the rules, and fill its tables."""
    await database.fill(url, Keywords.draw(RULES, random.Random(1)))
    if not rows:
        return
    connection = await connect(url)
    for statement in FAST_WRITES:
        await connection.execute(statement)
    await connection.execute("SET maintenance_work_mem = '512MB'")
    # The trigger would add an identity event for each row, which takes very long.
    await connection.execute("ALTER TABLE openids DISABLE TRIGGER USER")
    for table in TABLES:
        await fill(connection, table, rows, peer.APPID, max(rows // 10, 1))
    await connection.execute("ALTER TABLE openids ENABLE TRIGGER USER")
    await connection.execute("CHECKPOINT", timeout=3600)
    await connection.close()


async def set_memory(postgres: Postgres, shared_buffers: str) -> None:
    """Set what the server caches, from its next start on, and let it write checkpoints rarely."""
    connection = await connect(postgres.url)
    await connection.execute(f"ALTER SYSTEM SET shared_buffers = '{shared_buffers}'")
    await connection.execute("ALTER SYSTEM SET max_wal_size = '16GB'")
    await connection.close()


def main() -> None:
    """Read the options and run."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rows", type=int, default=3_000_000, help="stored callbacks")
    options.add_argument("--pairs", type=int, default=7)
    options.add_argument("--seconds", type=float, default=4.0, help="of one turn")
    options.add_argument(
        "--warm-up", type=float, default=4.0, help="seconds of callbacks to each before the pairs"
    )
    options.add_argument(
        "--known-senders", action="store_true", help="stored followers push, not new people"
    )
    options.add_argument(
        "--shared-buffers", help="of Postgres, e.g. 5GB, with rare checkpoints; default: its own"
    )
    chosen = options.parse_args()
    # Next to the code: the system's temporary folder may be in memory.
    with tempfile.TemporaryDirectory(dir=Path(__file__).parent, ignore_cleanup_errors=True) as name:
        folder = Path(name)
        postgres = database.start(folder / "data")
        urls = [asyncio.run(database.create(postgres, one)) for one in ("new", "grown")]
        for url, rows in zip(urls, (0, chosen.rows), strict=True):
            asyncio.run(prepare(url, rows))
        if chosen.shared_buffers:
            asyncio.run(set_memory(postgres, chosen.shared_buffers))
            embedded.stop(folder / "data")
            postgres = database.start(folder / "data")
        followers = max(chosen.rows // 10, 1) if chosen.known_senders else None
        turns = Turns(load_client.build(folder), folder, RULES, chosen.seconds, followers)
        bench = Bench(turns, postgres)
        with (
            servers.service(folder / "empty", urls[0]) as empty,
            servers.service(folder / "full", urls[1]) as full,
        ):
            both = (empty, full)
            # After a checkpoint Postgres writes each page that is changed for the first time into
            # its log: what that costs becomes less with time.
            for number in range(math.ceil(chosen.warm_up / chosen.seconds)):
                for place, server in enumerate(both):
                    bench.turn(server, WARM_UP_TURNS + 2 * number + place)
            print("| pair | per s empty | full | ratio | CPU ms empty | full | ratio | p99 ms | |")
            print("|---|---|---|---|---|---|---|---|---|")
            pairs = [bench.pair(number + 1, both) for number in range(chosen.pairs)]
    throughput, cpu = (statistics.median(ratios) for ratios in zip(*pairs, strict=True))
    print(f"\n{chosen.rows:,} callbacks: {throughput:.3f} of the throughput, {cpu:.3f} of the CPU.")
    if cpu > AIM:
        sys.exit(f"the aim is {AIM}")


if __name__ == "__main__":
    main()
