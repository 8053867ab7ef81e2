"""What every push changes of its sender is updated in place, so that no index is touched."""

import asyncio
from datetime import timedelta

import asyncpg

from tests.callback.makers import record, running_inbox
from tests.service import WorldClock, message
from tests.waiting import eventually

FOLLOWERS = 400
ROUNDS = 3
UPDATES = """
SELECT relname, n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables
WHERE relname IN ('openids', 'send_windows') ORDER BY relname
"""


async def test_pushes_of_known_followers_update_in_place(
    database_url: str, connection: asyncpg.Connection, clock: WorldClock
) -> None:
    async with running_inbox(database_url) as inbox:
        for _ in range(1 + ROUNDS):
            clock.advance(timedelta(seconds=1))
            people = [f"oPERSON{number:022d}" for number in range(FOLLOWERS)]
            # A batch each, as pushes come: what a page has room for is cleared between them.
            for start in range(0, FOLLOWERS, 20):
                pushes = (
                    record(clock, message(clock, openid=openid))
                    for openid in people[start : start + 20]
                )
                await asyncio.gather(*(inbox.keep(push) for push in pushes))

    async def counted() -> bool:
        await connection.execute("SELECT pg_stat_clear_snapshot()")
        found = await connection.fetch(UPDATES)
        return [row["n_tup_upd"] for row in found] == [FOLLOWERS * ROUNDS] * 2

    await eventually(counted)
    for row in await connection.fetch(UPDATES):
        assert row["n_tup_hot_upd"] >= 0.9 * row["n_tup_upd"], row["relname"]
