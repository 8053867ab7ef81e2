"""The Postgres of the benchmark: databases, rules, counts, and the time of one commit."""

import time
from dataclasses import dataclass
from pathlib import Path
from statistics import quantiles
from urllib.parse import urlsplit

from app.db import embedded, migrate
from app.db.engine import connect, open_database
from benchmarks.keywords import Keywords

STORE_RULES = """
INSERT INTO rules (name, trigger, replies)
SELECT name, trigger::jsonb, replies::jsonb
FROM unnest($1::text[], $2::text[], $3::text[]) AS t(name, trigger, replies)
"""

MAKE_SKETCH = "CREATE TABLE sketch (msgid bigint PRIMARY KEY, openid text, content text)"
COUNT_STORED = "SELECT (SELECT count(*) FROM callbacks), (SELECT count(*) FROM sketch)"


@dataclass(frozen=True, slots=True)
class Postgres:
    """A running server. pid: that of its postmaster."""

    url: str
    pid: int


@dataclass(frozen=True, slots=True)
class Commits:
    """Number of commits of one row, and percentiles of their time in milliseconds."""

    count: int
    p50_ms: float
    p99_ms: float


def start(folder: Path) -> Postgres:
    """Start the embedded Postgres in `folder`; it stops when this process ends."""
    url = embedded.start(folder)
    pid = int((folder / embedded.FOLDER / "postmaster.pid").read_text().splitlines()[0])
    return Postgres(url, pid)


async def create(postgres: Postgres, name: str) -> str:
    """Create a database; return its URL."""
    connection = await connect(postgres.url)
    await connection.execute(f"CREATE DATABASE {name}")
    await connection.close()
    return urlsplit(postgres.url)._replace(path=f"/{name}").geturl()


async def fill(url: str, keywords: Keywords) -> None:
    """Migrate a database, store the rules, and make the table of the sketch."""
    database = open_database(url)
    await migrate.upgrade(database.engine)
    await database.close()
    connection = await connect(url)
    names, triggers, replies = zip(*keywords.rows(), strict=True)
    await connection.execute(MAKE_SKETCH)
    await connection.execute(STORE_RULES, names, triggers, replies)
    await connection.close()


async def count_stored(url: str) -> tuple[int, int]:
    """Return how many callbacks the service has stored, and how many the sketch has."""
    connection = await connect(url)
    count: tuple[int, int] = tuple(await connection.fetchrow(COUNT_STORED))
    await connection.close()
    return count


async def time_commits(url: str, seconds: float) -> Commits:
    """Insert single rows one after the other, each in its own transaction, and time them."""
    connection = await connect(url)
    await connection.execute("CREATE TABLE IF NOT EXISTS commits (id bigint, payload text)")
    insert = await connection.prepare("INSERT INTO commits VALUES ($1, $2)")
    taken: list[float] = []
    deadline = time.perf_counter() + seconds
    while (began := time.perf_counter()) < deadline:
        await insert.fetch(len(taken), "x" * 300)
        taken.append((time.perf_counter() - began) * 1000)
    await connection.close()
    centiles = quantiles(taken, n=100)
    return Commits(len(taken), centiles[49], centiles[98])
