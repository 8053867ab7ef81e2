"""Liveness and readiness, with a real database and without one."""

from typing import Any

import asyncpg
import pytest
from fastapi import FastAPI

from app.callback.spool import SpoolStatus
from app.clock import DIFFERENCES
from app.db.diagnosis import NEVER_MIGRATED
from app.db.engine import Database, open_database
from tests.ops.standins import (
    APPID,
    SECRET,
    LiveRules,
    database_away,
    get,
    make_app,
    rule_set,
)
from tests.refusing_postgres import refusing_postgres

PARTS = (
    *("database", "migrations", "rules", "spool", "queue", "workers", "replies"),
    *("tokens", "wechat", "unionids", "erasures", "clock", "secrets"),
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
        PARTS, "ok"
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


async def test_a_database_without_tables_is_told_with_the_fix(
    database: Database, connection: asyncpg.Connection
) -> None:
    await connection.execute("DROP SCHEMA public CASCADE")
    await connection.execute("CREATE SCHEMA public")
    status, body = await readyz(make_app(database))

    assert (status, body["status"]) == (503, "failed")
    assert body["parts"]["migrations"]["detail"] == NEVER_MIGRATED


@pytest.mark.parametrize(
    ("code", "said"), [("28P01", "user and password of DATABASE_URL"), ("3D000", "does not exist")]
)
async def test_a_database_url_that_is_wrong_is_told_with_the_fix(code: str, said: str) -> None:
    with refusing_postgres(code, "no") as url:
        database = open_database(url)
        _, body = await readyz(make_app(database))
        await database.close()

    assert body["parts"]["database"]["status"] == "failed"
    assert said in body["parts"]["database"]["detail"]


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


async def see_worker(connection: asyncpg.Connection, ago: str) -> None:
    await connection.execute(
        "INSERT INTO worker_heartbeats (id, started_at, seen_at) "
        "VALUES (gen_random_uuid(), now() - interval '1 day', now() - $1::text::interval)",
        ago,
    )


async def test_without_a_worker_it_is_degraded_once_a_job_waits_for_half_a_minute(
    database: Database, connection: asyncpg.Connection
) -> None:
    app = make_app(database)
    idle = (await readyz(app))[1]["parts"]["workers"]
    await queue_job(connection, "20 seconds")
    fresh = (await readyz(app))[1]["parts"]["workers"]
    await queue_job(connection, "31 seconds")
    status, body = await readyz(app)

    assert (idle["status"], fresh["status"]) == ("ok", "ok")
    assert (status, body["status"]) == (200, "degraded")
    assert body["parts"]["workers"] == {
        "status": "degraded",
        "detail": "no worker has ever run: start oa-bridge worker, or serve --with-worker",
        "running": 0,
        "idle_seconds": None,
    }


@pytest.mark.parametrize(
    ("seen", "status", "running", "said"),
    [
        (["1 hour", "29 seconds"], "ok", 1, "1 running"),
        (["1 second", "2 seconds"], "ok", 2, "2 running"),
        (["1 hour", "45 seconds"], "degraded", 0, "no worker has run for 45 seconds: start"),
        (["3 minutes"], "degraded", 0, "no worker has run for 3 minutes: start"),
    ],
)
async def test_the_worker_that_was_seen_last_counts(
    database: Database,
    connection: asyncpg.Connection,
    seen: list[str],
    status: str,
    running: int,
    said: str,
) -> None:
    await queue_job(connection, "40 seconds")
    for ago in seen:
        await see_worker(connection, ago)
    part = (await readyz(make_app(database)))[1]["parts"]["workers"]

    assert (part["status"], part["running"]) == (status, running)
    assert part["detail"].startswith(said)


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


@pytest.mark.parametrize(
    ("age", "status", "degraded"),
    [("1 hour", "failed", True), ("1 hour", "skipped", False), ("25 hours", "failed", False)],
)
async def test_replies_of_the_last_day_that_failed_for_good_are_shown(
    database: Database, connection: asyncpg.Connection, age: str, status: str, degraded: bool
) -> None:
    await store_token(connection)
    await connection.execute(
        "INSERT INTO replies (id, callback_id, position, appid, openid, via, msgtype, content, "
        "status, created_at) SELECT (lpad(to_hex((extract(epoch FROM made) * 1000)::bigint), 12, "
        "'0') || repeat('7', 20))::uuid, gen_random_uuid(), 0, $1, 'o', 'customer_service', "
        "'text', '{}', $2, made FROM (SELECT now() - $3::text::interval AS made) AS one",
        APPID,
        status,
        age,
    )

    _, shown = await readyz(make_app(database))

    part = shown["parts"]["replies"]
    assert part["status"] == ("degraded" if degraded else "ok")
    assert ("1 of the last day failed for good: see GET" in part["detail"]) is degraded
