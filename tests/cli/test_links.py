"""`oa-bridge links` and `oa-bridge notices` as an administrator calls them."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.cli.main import cli
from app.ops import logging

MINI_PROGRAM = "wx0123456789abcdef"
SETTINGS = {
    "WECHAT_APPID": "wx1f2e3d4c5b6a7980",
    "WECHAT_TOKEN": "token",
    "WECHAT_MESSAGE_MODE": "plain",
    "PUBLIC_URL": "https://oa.example.com",
    "LOG_LEVEL": "ERROR",
}
ACCOUNTS = f"""
[[account]]
appid = "{MINI_PROGRAM}"
kind = "mini_program"
appsecret = "0123456789abcdef0123456789abcdef"
"""
UNKNOWN = "00000000-0000-0000-0000-000000000000"


class Command:
    """Calls `oa-bridge` in this process."""

    def __init__(self, database_url: str, folder: Path) -> None:
        accounts = folder / "accounts.toml"
        accounts.write_text(ACCOUNTS)
        self._environment = SETTINGS | {
            "DATABASE_URL": database_url,
            "DATA_DIR": str(folder),
            "ACCOUNTS_FILE": str(accounts),
            "COLUMNS": "200",
        }

    def run(self, *arguments: str) -> tuple[int, str, str]:
        """Return the exit status, and what was written to standard output and error."""
        done = CliRunner().invoke(cli, arguments, env=self._environment)
        return done.exit_code, done.stdout, done.stderr


@pytest.fixture
def command(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    monkeypatch.setattr(logging, "configure", lambda _: None)
    return Command(database_url, tmp_path)


def test_a_link_is_made_listed_renewed_and_deleted(command: Command) -> None:
    options = ("--appid", MINI_PROGRAM, "--slug", "shop26", "--path", "pages/shop/index")
    url = "https://oa.example.com/go/shop26"
    assert command.run("links", "make", "商城", *options) == (0, f"{url}\n", "")
    status, _, said = command.run("links", "make", "商城", *options)
    assert status == 1
    assert "another link has the slug shop26" in said
    status, listed, _ = command.run("links", "list")
    assert status == 0
    assert listed.startswith(f"{url}\t0\t")
    assert listed.endswith("\t商城\n")
    assert command.run("links", "renew", "shop26") == (0, "", "")
    assert command.run("links", "delete", "shop26") == (0, "", "")
    assert command.run("links", "list") == (0, "", "")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("links", "make", " ", "--appid", MINI_PROGRAM), "name: "),
        (("links", "make", "x", "--appid", "wx00000000000000ff"), "appid: is no mini-program"),
        (("links", "make", "x", "--appid", MINI_PROGRAM, "--query", "a={no}"), "query: "),
        (("links", "renew", "none"), "there is no link with the slug none"),
        (("links", "delete", "none"), "there is no link with the slug none"),
        (("notices", "pause", UNKNOWN), "does not exist"),
        (("notices", "resume", UNKNOWN), "does not exist"),
        (("notices", "stop", UNKNOWN), "does not exist"),
    ],
)
def test_a_mistake_is_named(command: Command, arguments: tuple[str, ...], said: str) -> None:
    status, _, error = command.run(*arguments)
    assert status == 1
    assert said in error


def test_no_send_is_an_empty_list(command: Command) -> None:
    assert command.run("notices", "sends") == (0, "", "")
