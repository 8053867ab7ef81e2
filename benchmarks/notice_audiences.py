"""Measures how fast an audience is counted and queued, and in how much memory.

`python -m benchmarks.notice_audiences --people 1000000` fills consents, followers, openids and
reservations with that many people in a temporary Postgres. It counts the audience with several
filters, and queues one notice for each person. It fails if a count takes 2 s or more, if fewer than
20,000 notices a second are queued, or if the process grows by more than 64 MiB meanwhile. Both run
in one process of Postgres; its CPU time is what they take where no other program needs the
processor.
"""

import argparse
import asyncio
import resource
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

import asyncpg
from sqlalchemy import text
from uuid_utils.compat import uuid7

from app.clock import SystemClock
from app.db import migrate
from app.db.engine import Database, connect, open_database
from app.notices import audience
from app.notices.audience import Audience
from app.notices.audience_schemas import AudienceFilter
from app.notices.models import NoticeKind, NoticeSend, SendSource, SendState
from app.notices.queue_audience import queue_audience
from benchmarks.cpu import cpu_seconds
from benchmarks.history_reading import FAST_WRITES, temporary_postgres

APPID: Final = "wx0000000000000001"
TEMPLATE: Final = "TPL_parcel"
MAX_COUNT_SECONDS: Final = 2.0
MIN_A_SECOND: Final = 20_000
MAX_GROWTH_MIB: Final = 64

# Half of the people have another consent, which is not counted; one in ten has left, and one in a
# hundred has a reservation.
FILL: Final = (
    """
    INSERT INTO openids (appid, openid, unionid, first_seen_at, last_seen_at, resolve_state)
    SELECT $2, 'o' || md5(n::text), 'u' || n, timestamptz '2026-01-01Z',
           timestamptz '2026-01-01Z' + n % 300 * interval '1 day', 'resolved'
    FROM generate_series(1, $1) n
    """,
    """
    INSERT INTO followers (appid, openid, unionid, following, followed_at, scene, last_at, last_id,
                           position)
    SELECT $2, 'o' || md5(n::text), 'u' || n, n % 10 <> 0, timestamptz '2026-01-01Z',
           CASE WHEN n % 4 = 0 THEN 's' || n % 200 END, timestamptz '2026-01-01Z',
           md5(n::text)::uuid, n
    FROM generate_series(1, $1) n
    """,
    """
    INSERT INTO consents (appid, openid, template_id, unionid, state, decided_at, decided_id,
                          accepted)
    SELECT $2, 'o' || md5(n::text), template, 'u' || n, 'accept', timestamptz '2026-01-01Z',
           md5(n::text)::uuid, 1
    FROM generate_series(1, $1) n, unnest(ARRAY['TPL_parcel', 'TPL_other']) template
    WHERE template = 'TPL_parcel' OR n % 2 = 0
    """,
    """
    INSERT INTO notice_consents (appid, openid, template_id, reserved)
    SELECT $2, 'o' || md5(n::text), 'TPL_parcel', 1 FROM generate_series(1, $1, 100) n
    """,
)
FILTERS: Final[Mapping[str, AudienceFilter]] = {
    "all": AudienceFilter(),
    "following": AudienceFilter(following=True),
    "scene": AudienceFilter(scene="s8"),
    "seen lately": AudienceFilter(seen_since=datetime(2026, 9, 1, tzinfo=UTC)),
    "following, seen lately": AudienceFilter(
        following=True, seen_since=datetime(2026, 9, 1, tzinfo=UTC)
    ),
    "5,000 UnionIDs": AudienceFilter(unionids=[f"u{number}" for number in range(1, 5001)]),
}


async def fill(connection: asyncpg.Connection, people: int) -> None:
    """Fill the tables."""
    await connection.execute("ALTER TABLE openids DISABLE TRIGGER USER")
    for statement in FILL:
        await connection.execute(statement, people, APPID, timeout=3600)
    await connection.execute("VACUUM ANALYZE", timeout=3600)


@dataclass(frozen=True, slots=True)
class Taken:
    """How many people were counted or queued. seconds: on the clock; cpu: of Postgres."""

    people: int
    seconds: float
    cpu: float


async def postmaster(database: Database) -> int:
    """Return the process id of the server."""
    async with database.sessions() as session:
        lines = await session.scalar(text("SELECT pg_read_file('postmaster.pid')"))
        return int(str(lines).splitlines()[0])


async def count(database: Database, kind: NoticeKind, wanted: AudienceFilter) -> Taken:
    """Count who matches."""
    one_time = kind is NoticeKind.SUBSCRIPTION
    who = Audience(APPID, TEMPLATE, kind, one_time, wanted)
    server = await postmaster(database)
    async with database.sessions() as session:
        began, spent = time.perf_counter(), cpu_seconds(server)
        people = await audience.count(session, who)
        return Taken(people, time.perf_counter() - began, cpu_seconds(server) - spent)


async def queue(database: Database, wanted: AudienceFilter) -> Taken:
    """Queue a notice for each person."""
    send_id = await started(database, wanted)
    server = await postmaster(database)
    began, spent = time.perf_counter(), cpu_seconds(server)
    await queue_audience(database.sessions, SystemClock(), send_id, APPID)
    seconds, cpu = time.perf_counter() - began, cpu_seconds(server) - spent
    async with database.sessions() as session:
        send = await session.get_one(NoticeSend, send_id)
        return Taken(send.total, seconds, cpu)


async def started(database: Database, wanted: AudienceFilter) -> UUID:
    """Add a send."""
    send = NoticeSend(
        id=uuid7(),
        source=SendSource.AUDIENCE,
        kind=NoticeKind.SUBSCRIPTION,
        appid=APPID,
        template_id=TEMPLATE,
        is_one_time=True,
        name="Moved",
        content={"data": {"thing1": "Moved"}},
        audience=wanted.model_dump(mode="json", exclude_none=True),
        state=SendState.RUNNING,
        rate=200,
        total=0,
        max_total=10_000_000,
        created_at=datetime.now(UTC) - timedelta(seconds=1),
        created_by="benchmark",
    )
    async with database.sessions.begin() as session:
        session.add(send)
    return send.id


async def run(url: str, people: int) -> bool:
    """Fill, count and queue; return whether all of it was fast and small enough."""
    database = open_database(url)
    await migrate.upgrade(database.engine)
    connection = await connect(url)
    for statement in FAST_WRITES:
        await connection.execute(statement)
    await fill(connection, people)
    print("| audience | people | counted in s | CPU in s |\n|---|---|---|---|")
    good = True
    for name, wanted in FILTERS.items():
        for kind in NoticeKind:
            found = await count(database, kind, wanted)
            good &= found.seconds < MAX_COUNT_SECONDS
            name_of = f"{kind.value}: {name}"
            print(f"| {name_of} | {found.people:,} | {found.seconds:.2f} | {found.cpu:.2f} |")
    print("\n| audience | queued | a second | a second of CPU | MiB more |\n|---|---|---|---|---|")
    for name in ("all", "following", "seen lately", "following, seen lately"):
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        queued = await queue(database, FILTERS[name])
        growth = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
        rate = queued.people / queued.seconds
        good &= rate >= MIN_A_SECOND and growth < MAX_GROWTH_MIB
        per_cpu = queued.people / queued.cpu
        print(f"| {name} | {queued.people:,} | {rate:,.0f} | {per_cpu:,.0f} | {growth:.0f} |")
    await connection.close()
    await database.close()
    return good


def main() -> None:
    """Read the options and run."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--people", type=int, default=1_000_000)
    people = options.parse_args().people
    with temporary_postgres() as url:
        good = asyncio.run(run(url, people))
    if not good:
        sys.exit("an audience was counted or queued too slowly, or in too much memory")


if __name__ == "__main__":
    main()
