"""Liveness and readiness, with a real database and without one."""

from typing import Any

import asyncpg
import pytest
from fastapi import FastAPI

from app.callback.spool import SpoolStatus
from app.clock import DIFFERENCES
from app.db.engine import Database
from tests.ops.standins import (
    APPID,
    SECRET,
    LiveRules,
    database_away,
    get,
    make_app,
    rule_set,
)

TOKEN = "access-token-that-nobody-may-see"


async def readyz(app: FastAPI) -> tuple[int, dict[str, Any]]:
    response = await get(app, "/readyz")
    return response.status_code, response.json()


async def store_token(connection: asyncpg.Connection, expires_in: str = "1 hour") -> None:
    await connection.execute(
        "INSERT INTO access_tokens "
        "VALUES ($1, $2, now() - interval '1 hour', now() + $3::text::interval)",
        APPID,
        TOKEN,
        expires_in,
    )


async def queue_job(connection: asyncpg.Connection, age: str) -> None:
    await connection.execute(
        "INSERT INTO pgqueuer (priority, status, entrypoint, execute_after) "
        "VALUES (0, 'queued', 'replies.deliver', now() - $1::text::interval)",
        age,
    )


async def see_person(
    connection: asyncpg.Connection, unionid: str | None, reason: str | None
) -> None:
    await connection.execute(
        "INSERT INTO openids (appid, openid, unionid, first_seen_at, last_seen_at, resolve_reason) "
        "VALUES ($1, 'oDEMO', $2, now(), now(), $3)",
        APPID,
        unionid,
        reason,
    )


async def test_the_process_is_alive_without_a_database() -> None:
    response = await get(make_app(), "/livez")

    assert (response.status_code, response.json()) == (200, {"status": "ok"})


async def test_with_everything_in_order_every_part_is_ok(
    database: Database, connection: asyncpg.Connection
) -> None:
    await store_token(connection)
    status, body = await readyz(make_app(database))

    assert (status, body["status"]) == (200, "ok")
    assert {name: part["status"] for name, part in body["parts"].items()} == dict.fromkeys(
        (
            *("database", "migrations", "rules", "spool", "queue", "tokens", "unionids"),
            *("erasures", "clock"),
        ),
        "ok",
    )
    assert (body["parts"]["rules"]["version"], body["parts"]["rules"]["count"]) == (7, 3)
    assert 3500 < body["parts"]["tokens"]["accounts"][APPID]["expires_in"] <= 3600


async def test_no_secret_is_shown(database: Database, connection: asyncpg.Connection) -> None:
    await store_token(connection)
    text = (await get(make_app(database), "/readyz")).text

    assert SECRET not in text
    assert TOKEN not in text


async def test_rules_that_are_not_loaded_make_it_unready(database: Database) -> None:
    app = make_app(database)
    app.state.rules = LiveRules(None)
    status, body = await readyz(app)

    assert (status, body["status"]) == (503, "failed")
    assert body["parts"]["rules"]["status"] == "failed"


async def test_having_no_rule_at_all_is_fine(
    database: Database, connection: asyncpg.Connection
) -> None:
    await store_token(connection)
    app = make_app(database)
    app.state.rules = LiveRules(rule_set(count=0))

    assert (await readyz(app))[1]["status"] == "ok"


async def test_a_schema_that_is_behind_makes_it_unready(
    database: Database, connection: asyncpg.Connection
) -> None:
    await connection.execute("DELETE FROM alembic_version")
    status, body = await readyz(make_app(database))

    assert (status, body["status"]) == (503, "failed")
    assert "oa-bridge migrate" in body["parts"]["migrations"]["detail"]


async def test_a_schema_of_a_later_release_keeps_it_in_service(
    database: Database, connection: asyncpg.Connection
) -> None:
    await connection.execute("UPDATE alembic_version SET version_num = 'later'")
    status, body = await readyz(make_app(database))

    assert (status, body["status"]) == (200, "degraded")
    assert body["parts"]["migrations"]["status"] == "degraded"


async def test_with_the_database_away_the_spool_keeps_it_in_service() -> None:
    async with database_away() as database:
        status, body = await readyz(make_app(database))

    assert (status, body["status"]) == (200, "degraded")
    assert body["parts"]["database"]["status"] == "failed"


async def test_with_the_database_away_and_a_full_spool_it_is_unready() -> None:
    async with database_away() as database:
        app = make_app(database)
        app.state.inbox.spool = SpoolStatus(True, 100, 100)
        status, body = await readyz(app)

    assert (status, body["status"]) == (503, "failed")
    assert body["parts"]["spool"]["count"] == 100


async def test_with_the_database_away_and_no_spool_it_is_unready() -> None:
    async with database_away() as database:
        app = make_app(database)
        app.state.inbox.spool = SpoolStatus(False, 0, 0)

        assert (await readyz(app))[0] == 503


async def test_a_full_spool_alone_does_not_make_it_unready(database: Database) -> None:
    app = make_app(database)
    app.state.inbox.spool = SpoolStatus(True, 100, 100)
    status, body = await readyz(app)

    assert (status, body["status"]) == (200, "degraded")


async def test_callbacks_in_the_spool_are_shown(database: Database) -> None:
    app = make_app(database)
    app.state.inbox.spool = SpoolStatus(True, 12, 100)
    _, body = await readyz(app)

    spool = body["parts"]["spool"]
    assert (spool["status"], spool["count"], spool["limit"]) == ("degraded", 12, 100)


async def test_jobs_that_wait_too_long_degrade_and_fresh_or_future_ones_do_not(
    database: Database, connection: asyncpg.Connection
) -> None:
    app = make_app(database)
    await queue_job(connection, "-1 hour")
    await queue_job(connection, "2 minutes")
    fresh = (await readyz(app))[1]["parts"]["queue"]
    await queue_job(connection, "10 minutes")
    status, body = await readyz(app)

    assert fresh["status"] == "ok"
    assert 120 <= fresh["oldest_due_seconds"] < 300
    assert status == 200
    assert body["parts"]["queue"]["status"] == "degraded"


async def test_wechat_being_away_shows_as_an_old_token_and_does_not_make_it_unready(
    database: Database, connection: asyncpg.Connection
) -> None:
    app = make_app(database)
    status_without, without = await readyz(app)
    await store_token(connection, "-1 minute")
    status_expired, expired = await readyz(app)

    assert (status_without, status_expired) == (200, 200)
    assert without["parts"]["tokens"]["accounts"][APPID]["state"] == "missing"
    assert expired["parts"]["tokens"]["accounts"][APPID]["state"] == "expired"
    assert expired["status"] == "degraded"


async def test_an_account_without_a_secret_needs_no_token(database: Database) -> None:
    status, body = await readyz(make_app(database, wechat_appsecret=None))

    assert (status, body["status"]) == (200, "ok")
    assert body["parts"]["tokens"]["accounts"] == {}


async def test_an_oa_without_an_open_platform_account_is_shown_as_such_and_is_fine(
    database: Database, connection: asyncpg.Connection
) -> None:
    await store_token(connection)
    await see_person(connection, None, "not_bound")
    _, body = await readyz(make_app(database))

    assert body["status"] == "ok"
    assert body["parts"]["unionids"]["accounts"] == {APPID: "not_bound"}


async def test_an_oa_that_yielded_a_unionid_is_bound(
    database: Database, connection: asyncpg.Connection
) -> None:
    await see_person(connection, "oUNION", None)
    _, body = await readyz(make_app(database))

    assert body["parts"]["unionids"]["accounts"] == {APPID: "bound"}


async def test_a_clock_that_is_off_degrades_it_and_is_told(
    database: Database, connection: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    await store_token(connection)
    monkeypatch.setattr(DIFFERENCES, "seconds", {"database": 3600.04, "wechat": -4.9})
    status, body = await readyz(make_app(database))

    assert (status, body["status"]) == (200, "degraded")
    clock = body["parts"]["clock"]
    assert "3600 s ahead of that of database" in clock["detail"]
    assert "wechat" not in clock["detail"]
    assert clock["ahead_seconds"] == {"database": 3600.0, "wechat": -4.9}
