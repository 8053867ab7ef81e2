"""`oa-bridge quota clear` shows the uses of the month, asks, and sends what waits."""

import asyncio
import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import pytest

from app.cli import quota
from tests.command_run import Run, run
from tests.conftest import patiently_connect
from tests.httpx_client import HttpxClient
from tests.service import APPID, WeChat, clock, wechat

__all__ = ["clock", "run", "wechat"]

CLEAR = "/cgi-bin/clear_quota"
WAITING = (
    "INSERT INTO pgqueuer"
    " (priority, created, updated, heartbeat, execute_after, entrypoint, status) VALUES"
    " (0, now(), now(), now(), now() + interval '5 hours', 'replies.deliver', 'queued')"
)


@pytest.fixture
def reached(wechat: WeChat, monkeypatch: pytest.MonkeyPatch) -> WeChat:
    """The simulator, which the client of the command reaches."""

    @asynccontextmanager
    async def client() -> AsyncIterator[HttpxClient]:
        yield HttpxClient(wechat.client)

    monkeypatch.setattr(quota, "ApiClient", client)
    return wechat


def queried(url: str, *statements: str) -> list[Any]:
    """Return the first column of the last statement."""

    async def query() -> list[Any]:
        connection: asyncpg.Connection = await patiently_connect(url)
        found = [await connection.fetch(statement) for statement in statements]
        await connection.close()
        return [row[0] for row in found[-1]]

    return asyncio.run(query())


def test_the_uses_of_the_month_are_shown_and_what_waits_is_sent(
    run: Run, reached: WeChat, database_url: str
) -> None:
    queried(database_url, WAITING)

    first = run("quota clear --yes", DATABASE_URL=database_url)
    status, lines = run(f"quota clear --appid {APPID} --yes", DATABASE_URL=database_url)

    assert first[0] == status == 0
    assert first[1][0].startswith(f"{APPID}: 0 of 10 clearings of this month are used")
    assert lines[0].startswith(f"{APPID}: 1 of 10 clearings of this month are used")
    assert "@" in lines[1]
    assert len(reached.calls(CLEAR)) == 2
    assert queried(database_url, "SELECT execute_after <= now() FROM pgqueuer") == [True]
    assert queried(database_url, "SELECT action FROM audit_log") == ["quota.cleared"] * 2


@pytest.mark.parametrize("typed", ["n\n", ""], ids=["no", "no terminal"])
def test_without_a_yes_nothing_is_cleared(
    run: Run, reached: WeChat, database_url: str, monkeypatch: pytest.MonkeyPatch, typed: str
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(typed))

    status, _ = run("quota clear", DATABASE_URL=database_url)

    assert status == 1
    assert reached.calls(CLEAR) == []
    assert queried(database_url, "SELECT appid FROM quota_clearings") == []


@pytest.mark.parametrize(
    ("fault", "said"),
    [({"errcode": 48006}, "errcode 48006"), ({"drop": "after"}, "this counts as a use")],
)
def test_a_clearing_that_fails_says_why(
    run: Run, reached: WeChat, database_url: str, fault: dict[str, object], said: str
) -> None:
    reached.strike(CLEAR, **fault)

    status, lines = run("quota clear --yes", DATABASE_URL=database_url)

    assert (status, said in lines[-1]) == (1, True)


def test_the_eleventh_is_not_tried(run: Run, reached: WeChat, database_url: str) -> None:
    queried(
        database_url,
        "INSERT INTO quota_clearings SELECT gen_random_uuid(), 'wx', now(), 'a@b'"
        " FROM generate_series(1, 10)".replace("'wx'", f"'{APPID}'"),
    )

    status, lines = run("quota clear --yes", DATABASE_URL=database_url)

    assert (status, "no further clearing this month" in lines[-1]) == (1, True)
    assert reached.calls(CLEAR) == []
