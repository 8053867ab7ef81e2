"""What every push changes of its sender is one row, updated in place: no index is touched."""

import asyncio
from datetime import timedelta

import asyncpg

from tests.callback.makers import record, running_inbox
from tests.service import WorldClock, message
from tests.waiting import eventually

FOLLOWERS = 400
ROUNDS = 3
UPDATES = """
SELECT relname, n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables WHERE n_tup_upd > 0
"""
STORED = """
SELECT relname FROM pg_stat_user_tables WHERE n_tup_ins >= $1 ORDER BY relname
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
        updated = {row["relname"]: row["n_tup_upd"] for row in found}
        return updated.get("openids") == FOLLOWERS * ROUNDS

    await eventually(counted)
    (only,) = await connection.fetch(UPDATES)
    assert only["relname"] == "openids"
    assert only["n_tup_hot_upd"] >= 0.9 * only["n_tup_upd"]
    stored = [row["relname"] for row in await connection.fetch(STORED, FOLLOWERS)]
    assert stored == ["callbacks", "openids"]
