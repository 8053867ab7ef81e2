"""`oa-bridge tags` as an administrator calls it."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.cli.main import cli
from app.ops import logging
from tests.conftest import patiently_connect

APPID = "wx1f2e3d4c5b6a7980"
SETTINGS = {
    "WECHAT_APPID": APPID,
    "WECHAT_APPSECRET": "0123456789abcdef0123456789abcdef",
    "WECHAT_TOKEN": "token",
    "WECHAT_MESSAGE_MODE": "plain",
    "LOG_LEVEL": "ERROR",
}


class Command:
    """Calls `oa-bridge tags` in this process."""

    def __init__(self, database_url: str, folder: Path) -> None:
        self._database_url = database_url
        self._environment = SETTINGS | {"DATABASE_URL": database_url, "DATA_DIR": str(folder)}

    def run(self, *arguments: str) -> tuple[int, str, str]:
        """Return the exit status, and what was written to standard output and error."""
        environment = self._environment | {"COLUMNS": "200"}
        done = CliRunner().invoke(cli, ["tags", *arguments], env=environment)
        return done.exit_code, done.stdout, done.stderr

    def know(self) -> None:
        """Store a tag and a person, as if they had been read."""

        async def store() -> None:
            connection = await patiently_connect(self._database_url)
            now = datetime.now(UTC)
            await connection.execute(
                "INSERT INTO tags (appid, tag_id, name, people, listed_at) "
                "VALUES ($1, 108, '会员', 3, $2)",
                APPID,
                now,
            )
            await connection.execute(
                "INSERT INTO openids (appid, openid, resolve_state, first_seen_at, last_seen_at) "
                "VALUES ($1, 'oONE', 'unavailable', $2, $2)",
                APPID,
                now,
            )
            await connection.close()

        asyncio.run(store())


@pytest.fixture
def command(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    monkeypatch.setattr(logging, "configure", lambda _: None)
    return Command(database_url, tmp_path)


def test_people_of_a_file_are_tagged_by_a_run_that_can_be_stopped(
    command: Command, tmp_path: Path
) -> None:
    command.know()
    assert command.run("list") == (0, "108\t3\t0\t会员\n", "")
    file = tmp_path / "people.txt"
    file.write_text("oONE\n\n oTWO \n")
    status, run_id, said = command.run("tag", "108", str(file), "--key", "a")
    assert status == 0
    assert said == "1 ids are not known and left out\n"
    assert command.run("tag", "108", str(file), "--key", "a")[1] == run_id
    status, listed, _ = command.run("runs")
    assert (status, listed.count("\n")) == (0, 1)
    assert "\ttag\t108\trunning\t0\t0" in listed
    assert command.run("stop", run_id.strip()) == (0, "", "")
    status, _, said = command.run("stop", run_id.strip())
    assert (status, said) == (1, "oa-bridge: this run is over: there is nothing to stop\n")


def test_a_pull_and_a_filter_wait_for_the_worker(command: Command) -> None:
    command.know()
    assert command.run("pull")[0] == 0
    assert command.run("untag", "108", "--all")[0] == 0
    assert command.run("tag", "108", "--scene", "s", "--seen-since", "2026-01-01T00:00:00Z")[0] == 0
    listed = command.run("runs")[1]
    assert [line.split("\t")[2] for line in listed.splitlines()] == ["tag", "untag", "pull"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("tag", "108"), "name a FILE, or use --scene"),
        (("tag", "108", "--all", "--scene", "s"), "name a FILE, or use --scene"),
        (("tag", "109", "--all"), "tag 109 is not known"),
        (("tag", "108", "--seen-since", "noon"), "filter.seen_since: "),
        (("tag", "108", "/nowhere"), "/nowhere can't be read"),
        (("rename", "2", "x"), "one of WeChat's own"),
        (("delete", "109"), "tag 109 is not known"),
        (("create", "x" * 31), "name: "),
        (("stop", "00000000-0000-0000-0000-000000000000"), "does not exist"),
        (("list", "--appid", "wx1"), "--appid: name an Official Account"),
    ],
)
def test_a_mistake_is_named(command: Command, arguments: tuple[str, ...], said: str) -> None:
    command.know()
    status, _, error = command.run(*arguments)
    assert status == 1
    assert said in error
