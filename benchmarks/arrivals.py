"""Measures how many reports of arrivals a second are stored, and how many are settled.

`python -m benchmarks.arrivals` fills a temporary Postgres with 1,000,000 replies of two and a half
hours, starts `oa-bridge serve` with two web processes, and sends reports with the refs of such
replies over 8 connections. Then it settles what was stored, as the worker does. Every part runs on
the same cores, the sender too. It fails if the service and Postgres need more CPU for a
report, in requests of a thousand, than two cores have for 5,000 a second, or if a stored report did
not find its reply.
"""

import argparse
import asyncio
import json
import random
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final
from uuid import UUID

import asyncpg
import httpx
import psutil
from pydantic import SecretStr

from app import refs
from app.access import tokens
from app.access.actor import Actor, ActorKind
from app.access.scopes import ApiScope
from app.arrivals.settle import Settler
from app.clock import SystemClock
from app.db import migrate
from app.db.engine import Database, connect, open_database
from app.db.index_builder import build_indexes
from app.secret_box import SecretBox
from app.tombstones.erasure_secret import ErasureSecret
from benchmarks import servers
from benchmarks.cpu import cpu_seconds
from benchmarks.history_reading import temporary_postgres
from benchmarks.servers import Server

AIM: Final = 5_000
CORES: Final = 2
CONNECTIONS: Final = 8
SIZES: Final = (1, 50, 1_000)
SECONDS: Final = 5.0
MINI_PROGRAM: Final = "wx00000000000000aa"
# A hundred a second, with ids of the form that `reply_id` gives them.
FILL: Final = """
INSERT INTO replies (id, callback_id, position, appid, openid, rule_id, via, msgtype, content,
                     status, created_at, sent_at)
SELECT CAST(lpad(to_hex(floor(extract(epoch FROM at))::bigint * 1000), 12, '0') || '7000b'
            || substr(md5(n::text), 1, 15) AS uuid),
       gen_random_uuid(), 0, 'wx0', 'o' || n % 200000, 7, 'customer_service', 'miniprogrampage',
       '{}', 'sent', at, at
FROM generate_series(1, $1::bigint) n,
     LATERAL (SELECT now() - n * interval '10 milliseconds' AS at) t
"""
SAMPLE: Final = "SELECT id FROM replies ORDER BY md5(id::text) LIMIT 20000"
FOUND: Final = """
SELECT count(*) AS stored, count(*) FILTER (WHERE basis = 'ref' AND reply_id IS NOT NULL) AS found
FROM arrivals
"""


def bodies(ids: Sequence[UUID], size: int) -> Iterator[bytes]:
    """Yield bodies of requests, each report with an id, a person and a ref of its own."""
    choose = random.Random(size)
    while True:
        at = (datetime.now(UTC) - timedelta(seconds=3)).isoformat()
        yield json.dumps({"reports": [_report(choose, ids, at) for _ in range(size)]}).encode()


def _report(choose: random.Random, ids: Sequence[UUID], at: str) -> dict[str, object]:
    return {
        "id": f"{choose.getrandbits(80):020x}",
        "kind": "launch",
        "appid": MINI_PROGRAM,
        "openid": f"oMINI{choose.getrandbits(40):010x}",
        "at": at,
        "scene": 1074,
        "path": "pages/shop/index",
        "query": {"ref": refs.of_reply(choose.choice(ids)), "from": "card"},
    }


@dataclass(frozen=True, slots=True)
class Rate:
    """Reports a second, and milliseconds of CPU of the service and of Postgres for each."""

    per_second: float
    cpu_ms: float
    postgres_ms: float


async def send(server: Server, postgres: int, token: str, ids: Sequence[UUID], size: int) -> Rate:
    """Return how many reports were stored in requests of this size. postgres: its process."""
    stored = 0
    cpu, postgres_cpu = cpu_seconds(server.pid), cpu_seconds(postgres)
    began = time.perf_counter()
    # What is sent is made before, since the sender is on the same cores.
    ready = bodies(ids, size)
    async with httpx.AsyncClient(
        base_url=f"http://127.0.0.1:{server.port}",
        headers={"authorization": f"Bearer {token}", "content-type": "application/json"},
        trust_env=False,
        timeout=30,
    ) as client:

        async def one() -> None:
            nonlocal stored
            while time.perf_counter() - began < SECONDS:
                answer = await client.post("/api/arrivals", content=next(ready))
                if answer.status_code != 200:
                    sys.exit(f"{answer.status_code} {answer.text[:500]}")
                stored += answer.json()["stored"]

        await asyncio.gather(*(one() for _ in range(CONNECTIONS)))
    return Rate(
        stored / (time.perf_counter() - began),
        (cpu_seconds(server.pid) - cpu) * 1000 / stored,
        (cpu_seconds(postgres) - postgres_cpu) * 1000 / stored,
    )


async def fill(url: str, replies: int) -> tuple[list[UUID], str, int]:
    """Fill the tables; return ids of replies, a token that may report, and Postgres' process."""
    database = open_database(url, command_timeout=None)
    await migrate.upgrade(database.engine)
    await build_indexes(database.engine)
    async with database.sessions.begin() as session:
        _, token = await tokens.add(
            session,
            Actor(ActorKind.CLI, "cli"),
            "bench",
            [ApiScope.ARRIVALS_WRITE],
            [MINI_PROGRAM],
            expires_at=None,
            now=datetime.now(UTC),
        )
    connection = await connect(url, None)
    await connection.execute(FILL, replies)
    await connection.execute("VACUUM ANALYZE")
    ids = [row[0] for row in await connection.fetch(SAMPLE)]
    backend = psutil.Process(await connection.fetchval("SELECT pg_backend_pid()"))
    postgres = backend.ppid()
    await connection.close()
    await database.close()
    return ids, token, postgres


async def settle(url: str) -> tuple[float, bool]:
    """Return how many reports a second are settled, and whether all led to their reply."""
    database: Database = open_database(url)
    connection: asyncpg.Connection = await connect(url)
    secret = ErasureSecret(SecretStr("x" * 32), SecretBox(None))
    began = time.perf_counter()
    await Settler(database.sessions, SystemClock(), secret).settle()
    took = time.perf_counter() - began
    row = await connection.fetchrow(FOUND)
    await connection.close()
    await database.close()
    return row["found"] / took, row["found"] == row["stored"]


def main() -> None:
    """Read the options, measure and print."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--replies", type=int, default=1_000_000)
    replies = options.parse_args().replies
    with temporary_postgres() as url, tempfile.TemporaryDirectory() as folder:
        ids, token, postgres = asyncio.run(fill(url, replies))
        with servers.service(Path(folder), url) as server:
            # A process that has just started compiles the pages of the console.
            asyncio.run(send(server, postgres, token, ids, SIZES[1]))
            rates = {size: asyncio.run(send(server, postgres, token, ids, size)) for size in SIZES}
        settled, all_found = asyncio.run(settle(url))
    print("| reports in a request | stored a second | service, Postgres: ms of CPU a report |")
    print("|---|---|---|")
    for size, rate in rates.items():
        print(f"| {size:,} | {rate.per_second:,.0f} | {rate.cpu_ms:.3f}, {rate.postgres_ms:.3f} |")
    print(f"\nsettled a second: {settled:,.0f}")
    best = rates[SIZES[-1]]
    if best.cpu_ms + best.postgres_ms > CORES * 1000 / AIM:
        sys.exit(f"{CORES} cores can't store {AIM:,} reports a second")
    if not all_found:
        sys.exit("a report did not find its reply")


if __name__ == "__main__":
    main()
