"""`oa-bridge operators` and `oa-bridge tokens` as an administrator calls them."""

import asyncio
from datetime import timedelta
from pathlib import Path

import asyncpg
import pytest
from typer.testing import CliRunner

from app.access.token_text import is_token
from app.cli.main import cli
from app.ops import logging
from tests.conftest import patiently_connect

SETTINGS = {
    "WECHAT_APPID": "wx1f2e3d4c5b6a7980",
    "WECHAT_TOKEN": "token",
    "WECHAT_MESSAGE_MODE": "plain",
    "PUBLIC_URL": "https://oa.example.com",
    "LOG_LEVEL": "ERROR",
}
MINI_PROGRAM = "wxabcdef0123456789"


class Command:
    """Calls `oa-bridge` in this process: each call of a program would take a second."""

    def __init__(self, database_url: str, folder: Path) -> None:
        self._environment = SETTINGS | {"DATABASE_URL": database_url, "DATA_DIR": str(folder)}

    def run(self, *arguments: str) -> tuple[int, str, str]:
        """Return the exit status, and what was written to standard output and error."""
        done = CliRunner().invoke(cli, arguments, env=self._environment | {"COLUMNS": "200"})
        return done.exit_code, done.stdout, done.stderr


@pytest.fixture(autouse=True)
def _logging_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logging, "configure", lambda _: None)


@pytest.fixture
def command(database_url: str, tmp_path: Path) -> Command:
    return Command(database_url, tmp_path)


def fetched(database_url: str, query: str) -> list[asyncpg.Record]:
    """Return rows. The commands run event loops of their own, so no test here runs in one."""

    async def fetch() -> list[asyncpg.Record]:
        connection = await patiently_connect(database_url)
        try:
            return list(await connection.fetch(query))
        finally:
            await connection.close()

    return asyncio.run(fetch())


def test_an_operator_is_added_changed_and_disabled(command: Command, database_url: str) -> None:
    status, told, _ = command.run("operators", "add", "小王", "--role", "editor")
    assert status == 0
    assert "小王 is added as editor." in told
    link = told.splitlines()[-1]
    assert link.startswith("https://oa.example.com/console/sign-in/")

    again, _, why = command.run("operators", "add", "小王")
    assert (again, "already" in why) == (1, True)
    _, other, _ = command.run("operators", "link", "小王")
    assert other.splitlines()[-1] not in {link, ""}
    assert command.run("operators", "role", "小王", "owner")[1] == "小王 is owner.\n"
    last, _, why = command.run("operators", "disable", "小王")
    assert (last, "last owner" in why) == (1, True)
    command.run("operators", "add", "小李", "--role", "owner")
    command.run("operators", "role", "小王", "viewer")
    assert command.run("operators", "disable", "小王")[1] == "小王 is disabled.\n"

    listed = command.run("operators", "list")[1].splitlines()[-1].split("\t")
    assert listed[:3] == ["小王", "viewer", "disabled"]
    rows = fetched(database_url, "SELECT * FROM audit_log ORDER BY id")
    assert {(row["actor_kind"], row["actor_name"]) for row in rows} == {("cli", "cli")}
    assert [row["action"] for row in rows] == [
        "operator.added",
        "sign_in_link.made",
        "sign_in_link.made",
        "operator.role_changed",
        "operator.added",
        "sign_in_link.made",
        "operator.role_changed",
        "operator.disabled",
    ]


def test_a_token_is_shown_once_listed_and_revoked(command: Command, database_url: str) -> None:
    status, secret, told = command.run(
        *("tokens", "add", "crm", "--scope", "identities:write", "--scope", "rules:read"),
        *("--appid", MINI_PROGRAM, "--expires", "90d"),
    )
    assert (status, is_token(secret.strip())) == (0, True)
    assert "not shown again" in told

    listed = command.run("tokens", "list")[1]
    assert secret.strip() not in listed
    assert listed.split("\t")[:4] == ["crm", "valid", "identities:write rules:read", MINI_PROGRAM]
    assert "used never" in listed
    (row,) = fetched(database_url, "SELECT expires_at - created_at AS lifetime FROM api_tokens")
    assert row["lifetime"] == timedelta(days=90)

    assert command.run("tokens", "revoke", "crm")[1] == "The token crm is revoked.\n"
    assert command.run("tokens", "list")[1].split("\t")[1] == "revoked"


@pytest.mark.parametrize(
    ("arguments", "status", "why"),
    [
        (("tokens", "add", "crm"), 2, "--scope"),
        (("tokens", "add", "crm", "--scope", "all"), 2, "rules:read"),
        (("tokens", "add", "crm", "--scope", "identities:write"), 1, "AppIDs"),
        (("tokens", "add", "crm", "--scope", "rules:read", "--expires", "soon"), 2, "90d"),
        (("tokens", "revoke", "crm"), 1, "no token crm"),
        (("operators", "link", "小王"), 1, "no operator 小王"),
        (("operators", "add", "小王", "--role", "king"), 2, "viewer"),
    ],
)
def test_what_can_not_be_done_is_said_in_one_line(
    command: Command, arguments: tuple[str, ...], status: int, why: str
) -> None:
    ended, _, told = command.run(*arguments)

    assert ended == status
    assert why in told
    assert "Traceback" not in told


def test_a_database_that_is_not_up_to_date_is_told(postgres_url: str, tmp_path: Path) -> None:
    status, _, told = Command(postgres_url, tmp_path).run("operators", "list")

    assert (status, "oa-bridge migrate" in told) == (1, True)
