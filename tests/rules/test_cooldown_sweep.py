"""Firings are kept until their cooldown is over."""

from datetime import timedelta

import asyncpg

from app.clock import SystemClock
from app.db.engine import Database
from app.rules.cooldown_sweep import sweep


async def test_a_firing_goes_when_its_cooldown_is_over(
    database: Database, connection: asyncpg.Connection
) -> None:
    now = SystemClock().now()
    for rule_id, expires_at in ((1, now - timedelta(seconds=1)), (2, now + timedelta(hours=1))):
        await connection.execute(
            "INSERT INTO rule_firings (appid, openid, rule_id, fired_at, expires_at, dedupe_key) "
            "VALUES ('wx', 'o', $1, $2, $3, '')",
            rule_id,
            now,
            expires_at,
        )

    await sweep(database.sessions, SystemClock())
    await sweep(database.sessions, SystemClock())

    assert [row["rule_id"] for row in await connection.fetch("SELECT * FROM rule_firings")] == [2]
