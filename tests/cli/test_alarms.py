"""`oa-bridge alarms` as an administrator calls it."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.cli.main import cli
from app.ops import logging

ROBOT = {"name": "ops", "kind": "wecom", "url": "http://127.0.0.1:9/send?key=k-e-y"}
SETTINGS = {
    "WECHAT_APPID": "wx1f2e3d4c5b6a7980",
    "WECHAT_TOKEN": "token",
    "WECHAT_MESSAGE_MODE": "plain",
    "WEBHOOK_ALLOW_HTTP": "true",
    "WEBHOOK_ALLOW_PRIVATE": "true",
    "LOG_LEVEL": "ERROR",
}


class Command:
    """Calls `oa-bridge alarms` in this process."""

    def __init__(self, database_url: str, folder: Path) -> None:
        self._environment = SETTINGS | {"DATABASE_URL": database_url, "DATA_DIR": str(folder)}

    def run(self, *arguments: str, stdin: str | None = None) -> tuple[int, str, str]:
        """Return the exit status, and what was written to standard output and error."""
        environment = self._environment | {"COLUMNS": "200"}
        done = CliRunner().invoke(cli, ["alarms", *arguments], env=environment, input=stdin)
        return done.exit_code, done.stdout, done.stderr


@pytest.fixture
def command(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    """The command; logging is left as the tests have it."""
    monkeypatch.setattr(logging, "configure", lambda _: None)
    return Command(database_url, tmp_path)


def test_a_receiver_is_added_tested_listed_and_deleted(command: Command) -> None:
    status, receiver, error = command.run("add", "-", stdin=json.dumps(ROBOT))
    assert (status, error) == (0, "")

    status, _, error = command.run("test", receiver.strip())
    assert status == 1
    assert "has not taken it: no connection" in error
    status, _, error = command.run("test", receiver.strip())
    assert (status, "just now" in error) == (1, True)

    status, listed, _ = command.run("receivers")
    assert listed.split("\t")[1:5] == ["wecom", "ops", "127.0.0.1", "sent never"]
    assert "k-e-y" not in listed
    assert command.run("delete", receiver.strip())[0] == 0
    assert command.run("delete", receiver.strip())[0] == 1
    assert command.run("receivers")[1] == ""


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("{", "is not valid JSON"),
        ("{}", "name: is missing: add it"),
        (json.dumps(ROBOT | {"url": None}), "url: is missing"),
        (json.dumps(ROBOT | {"kind": "sms"}), "kind: "),
    ],
)
def test_a_receiver_that_can_not_work_is_refused(
    command: Command, tmp_path: Path, content: str, words: str
) -> None:
    file = tmp_path / "receiver.json"
    file.write_text(content)

    status, _, error = command.run("add", str(file))

    assert status == 1
    assert words in error


def test_a_threshold_is_set_within_its_bounds(command: Command) -> None:
    assert command.run("threshold", "no_push", "45", "--appid", SETTINGS["WECHAT_APPID"])[0] == 0
    assert command.run("threshold", "quota", "--off")[0] == 0
    status, _, error = command.run("threshold", "quota", "101")
    assert (status, "must be from 1 to 100" in error) == (1, True)
    assert command.run("list") == (0, "", "")


def test_a_threshold_that_was_not_read_is_neither_replaced_nor_removed(command: Command) -> None:
    assert command.run("threshold", "quota", "70")[:2] == (0, "none -> on-70.0\n")
    assert "quota\t-\ton-70.0\n" in command.run("thresholds")[1]
    assert command.run("threshold", "quota", "75")[:2] == (0, "on-70.0 -> on-75.0\n")

    for change in (["90"], ["--reset"]):
        status, _, error = command.run("threshold", "quota", *change, "--if-match", "on-70.0")
        assert status == 1
        assert "nothing was changed: on-75.0 is set now" in error

    done = command.run("threshold", "quota", "--reset", "--if-match", "on-75.0")
    assert done[:2] == (0, "on-75.0 -> none\n")
    assert command.run("threshold", "quota", "5", "--reset")[0] == 2
