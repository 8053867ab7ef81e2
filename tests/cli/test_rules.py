"""`oa-bridge rules` as an operator calls it."""

import asyncio
import json
import shlex
from pathlib import Path

import asyncpg
import pytest
import yaml

from tests.command_run import Run, run
from tests.rules.makers import APPID, PNG, as_posted

__all__ = ["run"]


class Command:
    def __init__(self, run: Run, database_url: str, folder: Path) -> None:
        self._run = run
        self._folder = folder
        self._settings = {
            "DATABASE_URL": database_url,
            "WECHAT_APPID": APPID,
            "WECHAT_TOKEN": "token",
            "WECHAT_MESSAGE_MODE": "plain",
            "WECHAT_APPSECRET": "secret",
        }

    def run(self, *arguments: str) -> tuple[int, str]:
        status, lines = self._run(shlex.join(["rules", *arguments]), **self._settings)
        return status, "".join(f"{line}\n" for line in lines)

    def file(self, *rules: dict[str, object]) -> str:
        path = self._folder / "rules.json"
        path.write_text(json.dumps({"rules": rules}), encoding="utf-8")
        return str(path)


@pytest.fixture
def command(run: Run, database_url: str, tmp_path: Path) -> Command:
    media = tmp_path / "media"
    media.mkdir()
    (media / "shop.png").write_bytes(PNG)
    return Command(run, database_url, tmp_path)


def test_a_file_is_shown_imported_exported_and_explained(command: Command) -> None:
    file = command.file(as_posted())

    shown = command.run("import", file, "--dry-run")
    done = command.run("import", file)
    again = command.run("import", file)
    exported = command.run("export")
    explained = command.run("explain", "去商城")

    assert shown == (
        0,
        "+ Shop\n1 rules would be added, 0 changed, 0 removed; 0 stay as they are.\n",
    )
    assert done[0] == 0
    assert "1 stay as they are" in again[1]
    assert [rule["name"] for rule in yaml.safe_load(exported[1])["rules"]] == ["Shop"]
    assert "answers: Shop (contains)" in explained[1]
    assert '"thumb_media_id": "MEDIA_ID of shop.png"' in explained[1]
    assert "uploaded first as image: shop.png" in explained[1]
    assert "<Content><![CDATA[正在为您打开商城]]></Content>" in explained[1]


def test_what_depends_on_the_follower_is_explained_so(command: Command) -> None:
    shared = as_posted(conditions={"share": {"percent": 30}})
    command.run("import", command.file(shared))

    _, said = command.run("explain", "商城")

    assert "answers if the follower belongs to a share of 30 % of followers: Shop" in said


def test_a_bad_file_ends_with_a_line_for_each_problem(command: Command) -> None:
    status, said = command.run("import", command.file(as_posted(trigger={"on": "scan"})))

    assert (status, said) == (1, "oa-bridge: rules.0.trigger.scene: is missing: add it\n")


def test_a_file_or_wechat_has_to_be_named(command: Command) -> None:
    assert command.run("import")[0] == 2
    assert command.run("explain", "a", "--appid", "wx1")[0] == 2


@pytest.mark.parametrize(
    "arguments", [[], ["a", "--event", "subscribe"], ["a", "--event-key", "b"]], ids=" ".join
)
def test_a_text_or_an_event_has_to_be_named(command: Command, arguments: list[str]) -> None:
    assert command.run("explain", *arguments) == (
        2,
        "oa-bridge: give a TEXT, or use --event, with --event-key if it has one\n",
    )


def test_wechat_that_can_not_be_reached_is_told_in_one_line(command: Command) -> None:
    status, said = command.run("import", "--from-wechat")

    assert status == 1
    assert said.count("\n") == 1
    assert said == (
        "oa-bridge: there is no access token: 127.0.0.1 refuses the connection: check "
        "WECHAT_API_BASE_URL and the firewall\n"
    )


@pytest.mark.parametrize(
    "arguments",
    [("explain", "a"), ("export",), ("import", "FILE"), ("import", "--from-wechat")],
    ids=" ".join,
)
async def test_a_database_that_is_not_migrated_is_told_in_one_line(
    command: Command, connection: asyncpg.Connection, arguments: tuple[str, ...]
) -> None:
    await connection.execute("DROP SCHEMA public CASCADE")
    await connection.execute("CREATE SCHEMA public")
    file = command.file(as_posted())

    given = (file if part == "FILE" else part for part in arguments)
    status, said = await asyncio.to_thread(command.run, *given)

    assert (status, said) == (
        1,
        "oa-bridge: the database is not up to date: run oa-bridge migrate\n",
    )


async def test_what_else_the_database_refuses_is_told_in_one_line(
    command: Command, connection: asyncpg.Connection
) -> None:
    await connection.execute("ALTER TABLE rules ADD CONSTRAINT none CHECK (name <> 'Shop')")

    status, said = await asyncio.to_thread(command.run, "import", command.file(as_posted()))

    assert status == 1
    *_, line = said.splitlines()
    assert line.startswith("oa-bridge: the database can't be used: new row for relation")
    assert sum(line.startswith("oa-bridge: ") for line in said.splitlines()) == 1


def test_a_database_that_can_not_be_reached_is_told_in_one_line(run: Run, tmp_path: Path) -> None:
    status, said = Command(run, "postgresql://127.0.0.1:1/none", tmp_path).run("export")

    assert (status, said.count("\n")) == (1, 1)
    assert said.startswith("oa-bridge: ")


def test_an_event_is_explained_as_of_a_moment(command: Command) -> None:
    period = {"until": "2026-11-24T12:00:00+08:00"}
    welcome = as_posted(trigger={"on": "subscribe", "scene": "a"}, conditions=period)
    command.run("import", command.file(welcome))
    question = ("explain", "--event", "subscribe", "--event-key", "qrscene_a", "--at")

    assert "answers: Shop" in command.run(*question, "2026-11-24T11:59:00+08:00")[1]
    assert "its period ended at" in command.run(*question, "2026-11-24T12:01:00+08:00")[1]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["a", "--openid", ""], "oa-bridge: openid: "),
        (["a", "--at", "noon"], "oa-bridge: at: "),
    ],
)
def test_a_question_that_is_none_is_refused_in_one_line(
    command: Command, arguments: list[str], said: str
) -> None:
    status, told = command.run("explain", *arguments)

    assert (status, told.count("\n")) == (1, 1)
    assert told.startswith(said)
