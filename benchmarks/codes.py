"""Lets 10,000 people ask for their codes of a campaign at once, in four processes.

`python -m benchmarks.codes` fills a temporary Postgres with a pool and with people, a quarter of
whom have a second OpenID of the same UnionID. Four processes give codes to them, each ten at a
time; every OpenID is asked for in two of the processes. It prints how many codes are given a
second, and fails if a person gets two codes, a code goes to two people, or somebody gets none while
the pool has one. With `--codes` the pool may be too small: it runs empty in the middle.
"""

import argparse
import asyncio
import sys
import time
from collections import defaultdict
from datetime import UTC, datetime
from uuid import UUID, uuid4

from app.codes.give import give
from app.codes.holder import Door, Holder
from app.db import migrate
from app.db.engine import connect, open_database
from app.tombstones.pseudonyms import Pseudonyms
from benchmarks.history_reading import temporary_postgres

APPID = "wx0123456789abcdef"
PROCESSES = 4
AT_ONCE = 10
NONE_LEFT = "None"
FILL_CODES = """
INSERT INTO campaign_codes (campaign_id, code)
SELECT $1, 'CODE-' || number FROM generate_series(1, $2::int) AS number
"""
# The person of a number has the OpenID of it; those of the first quarter have a second one.
FILL_PEOPLE = """
INSERT INTO openids (appid, openid, unionid, first_seen_at, last_seen_at, resolve_state)
SELECT $1, 'o-' || number, CASE WHEN number % $2 < $2 / 4 THEN 'u-' || number % $2 END,
       now(), now(), 'unavailable'
FROM generate_series(0, $2::int + $2::int / 4 - 1) AS number
"""


async def give_some(url: str, campaign_id: UUID, first: int, openids: int, count: int) -> None:
    """Give codes to `count` of the OpenIDs from `first` on, and print each with its code."""
    database = open_database(url)
    turns, names = asyncio.Semaphore(AT_ONCE), Pseudonyms(b"a secret of the benchmark")

    async def one(number: int) -> str:
        holder, door = Holder(APPID, f"o-{number}"), Door("rule", "1")
        async with turns, database.sessions.begin() as session:
            now = datetime.now(UTC)
            code = await give(session, campaign_id, holder, door, names=names, now=now)
        return f"{number} {code or NONE_LEFT}"

    numbers = [number % openids for number in range(first, first + count)]
    print("\n".join(await asyncio.gather(*map(one, numbers))))
    await database.close()


async def asked(url: str, campaign_id: UUID, first: int, openids: int) -> list[tuple[int, str]]:
    """Run one process, and return what it printed."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "benchmarks.codes",
        *("--process", url, str(campaign_id), str(first), str(openids), str(openids // 2)),
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await process.communicate()
    if process.returncode:
        sys.exit("a process failed")
    lines = (line.split() for line in output.decode().splitlines())
    return [(int(number), code) for number, code in lines]


async def run(url: str, people: int, pool: int) -> bool:
    """Fill the tables, give the codes and print; return whether everybody has one code.

    pool: how many codes there are; of more people the later ones get none, each time they ask.
    """
    database, campaign_id = open_database(url), uuid4()
    await migrate.upgrade(database.engine)
    await database.close()
    connection = await connect(url)
    await connection.execute(FILL_CODES, campaign_id, pool)
    await connection.execute("ALTER TABLE openids DISABLE TRIGGER USER")
    await connection.execute(FILL_PEOPLE, APPID, people)
    openids = people + people // 4
    began = time.perf_counter()
    answers = await asyncio.gather(
        *(
            asked(url, campaign_id, number * openids // PROCESSES, openids)
            for number in range(PROCESSES)
        )
    )
    took = time.perf_counter() - began
    codes: dict[int, set[str]] = defaultdict(set)
    for number, code in (line for lines in answers for line in lines):
        codes[number % people].add(code)
    answered = [code for person in codes.values() for code in person]
    given = [code for code in answered if code != NONE_LEFT]
    stored = await connection.fetchval(
        "SELECT count(*) FROM campaign_codes WHERE given_at IS NOT NULL"
    )
    await connection.close()
    asked_for = sum(map(len, answers))
    print(f"{len(codes):,} people, asked for {asked_for:,} times: {len(given):,} codes")
    print(f"{len(set(given)):,} of them differ, {stored:,} are taken from the pool")
    print(f"{asked_for / took:,.0f} a second, with the start of the processes")
    is_one_each = len(codes) == len(answered) and len(given) == len(set(given))
    return is_one_each and len(given) == stored == min(people, pool)


def main() -> None:
    """Read the options and run."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--people", type=int, default=10_000)
    options.add_argument(
        "--codes", type=int, help="as many as people, unless another number is given"
    )
    options.add_argument("--process", nargs=5, help=argparse.SUPPRESS)
    chosen = options.parse_args()
    if chosen.process is not None:
        url, campaign_id, first, openids, count = chosen.process
        asyncio.run(give_some(url, UUID(campaign_id), int(first), int(openids), int(count)))
        return
    with temporary_postgres() as url:
        pool = chosen.people if chosen.codes is None else chosen.codes
        good = asyncio.run(run(url, chosen.people, pool))
    if not good:
        sys.exit("somebody has two codes, or none while the pool has one")


if __name__ == "__main__":
    main()
