"""`oa-bridge rules import` shows what it changes, asks, and can be taken back."""

import asyncio
import io
import json
from pathlib import Path
from threading import Thread
from typing import Any

import asyncpg
import pytest
import typer

from tests.command_run import Run, run

__all__ = ["run"]

BOTH = [("Shop", 100, "a"), ("Help", 50, "b")]
SHORT = [("Shop", 200, "a")]


def document(folder: Path, rules: list[tuple[str, int, str]]) -> str:
    file = folder / "rules.json"
    file.write_text(json.dumps({"rules": [_rule(*one) for one in rules]}))
    return str(file)


def _rule(name: str, priority: int, content: str) -> dict[str, Any]:
    return {
        "name": name,
        "priority": priority,
        "trigger": {"on": "text", "match": "exact", "keyword": name},
        "replies": [{"msgtype": "text", "via": "passive", "content": content}],
    }


def stored(url: str) -> list[tuple[str, int]]:
    async def read() -> list[tuple[str, int]]:
        connection = await asyncpg.connect(url)
        found = await connection.fetch("SELECT name, priority FROM rules ORDER BY id")
        await connection.close()
        return [(row["name"], row["priority"]) for row in found]

    return asyncio.run(read())


@pytest.fixture
def both(run: Run, database_url: str, tmp_path: Path) -> str:
    """URL of a database with two rules. They were added without a question."""
    status, _ = run(f"rules import {document(tmp_path, BOTH)}", DATABASE_URL=database_url)
    assert status == 0
    return database_url


def test_it_shows_old_and_new_values_and_what_goes(run: Run, both: str, tmp_path: Path) -> None:
    _, lines = run(f"rules import {document(tmp_path, SHORT)} --dry-run", DATABASE_URL=both)

    assert lines == [
        "~ 1 Shop",
        "    priority: 100 → 200",
        "- 2 Help",
        "0 rules would be added, 1 changed, 1 removed; 0 stay as they are.",
    ]
    assert stored(both) == [("Shop", 100), ("Help", 50)]


@pytest.mark.parametrize("typed", ["n\n", "\n", ""], ids=["no", "nothing", "no terminal"])
def test_without_a_yes_nothing_is_changed(
    run: Run, both: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, typed: str
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(typed))

    status, lines = run(f"rules import {document(tmp_path, SHORT)}", DATABASE_URL=both)

    assert status == 1
    assert lines[-1].endswith(
        "oa-bridge: nothing was changed; answer y, or pass --yes to import without a question"
    )
    assert stored(both) == [("Shop", 100), ("Help", 50)]


@pytest.mark.parametrize(("option", "typed"), [("", "y\n"), ("--yes", "")])
def test_with_a_yes_it_imports_and_the_printed_command_goes_back(
    run: Run, both: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, option: str, typed: str
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(typed))

    status, lines = run(f"rules import {document(tmp_path, SHORT)} {option}", DATABASE_URL=both)

    assert status == 0
    assert stored(both) == [("Shop", 200)]
    (back,) = [line for line in lines if line.startswith("To go back: oa-bridge ")]
    run(f"{back.removeprefix('To go back: oa-bridge ')} --yes", DATABASE_URL=both)
    assert stored(both) == [("Shop", 100), ("Help", 50)]


def test_rules_that_somebody_changes_meanwhile_are_not_overwritten(
    run: Run, both: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def change() -> None:
        connection = await asyncpg.connect(both)
        await connection.execute("UPDATE rules SET priority = 7 WHERE name = 'Help'")
        await connection.close()

    def answer(*_: object, **__: object) -> bool:
        # The command's own loop runs in this thread.
        thread = Thread(target=lambda: asyncio.run(change()))
        thread.start()
        thread.join()
        return True

    monkeypatch.setattr(typer, "confirm", answer)

    status, lines = run(f"rules import {document(tmp_path, SHORT)}", DATABASE_URL=both)

    assert status == 1
    assert "somebody else has changed the rules meanwhile; run the import again" in lines[-1]
    assert stored(both) == [("Shop", 100), ("Help", 7)]


def test_what_changes_nothing_asks_nothing(run: Run, both: str, tmp_path: Path) -> None:
    assert run(f"rules import {document(tmp_path, BOTH)}", DATABASE_URL=both) == (
        0,
        ["0 rules would be added, 0 changed, 0 removed; 2 stay as they are."],
    )


def test_a_folder_in_which_the_former_rules_can_not_be_kept_stops_it(
    run: Run, both: str, tmp_path: Path
) -> None:
    file = document(tmp_path, SHORT)
    (tmp_path / "file").touch()

    status, lines = run(
        f"rules import {file} --yes", DATABASE_URL=both, DATA_DIR=str(tmp_path / "file")
    )

    assert status in {1, 2}
    assert lines[-1].startswith("oa-bridge: ")
    assert stored(both) == [("Shop", 100), ("Help", 50)]
