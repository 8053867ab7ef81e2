"""Which folders of shared metrics are removed: those that no process holds, of this user."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from app.ops.metrics_folder import (
    LOCK,
    PREFIX,
    hold_for_life,
    metrics_folder,
    remove_left_over,
)

HOLDER = """
import sys
from pathlib import Path
from app.ops.metrics_folder import hold_for_life
hold_for_life(Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The system's temporary folder of this test."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def left_over(temporary: Path, name: str = "left") -> Path:
    """Return a folder as a killed process leaves it."""
    folder = temporary / f"{PREFIX}{name}"
    folder.mkdir()
    (folder / LOCK).touch()
    (folder / "counter_4711.db").touch()
    return folder


def test_the_folder_of_a_killed_process_is_removed_by_the_next(temporary: Path) -> None:
    folders = [left_over(temporary, name) for name in ("one", "two")]

    with metrics_folder() as folder:
        assert folder.is_dir()
        assert not any(one.exists() for one in folders)
    assert list(temporary.iterdir()) == []


@pytest.mark.usefixtures("temporary")
def test_a_folder_in_use_stays() -> None:
    with metrics_folder() as first, metrics_folder() as second:
        remove_left_over()
        assert first.is_dir()
        assert second.is_dir()


def test_a_folder_stays_while_a_child_of_a_killed_process_uses_it(temporary: Path) -> None:
    folder = left_over(temporary)
    child = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with child:
        assert child.stdout is not None
        child.stdout.readline()
        remove_left_over()
        assert folder.is_dir()
        child.kill()

    remove_left_over()
    assert not folder.exists()


def test_a_folder_of_an_operator_has_no_lock_and_stays(temporary: Path) -> None:
    folder = temporary / f"{PREFIX}own"
    folder.mkdir()

    hold_for_life(folder)
    remove_left_over()

    assert list(folder.iterdir()) == []


def test_what_another_user_left_stays(temporary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = left_over(temporary)
    monkeypatch.setattr(os, "geteuid", lambda: folder.stat().st_uid + 1)

    remove_left_over()

    assert (folder / "counter_4711.db").exists()


def test_a_link_leads_nowhere(temporary: Path) -> None:
    elsewhere = left_over(temporary, "x").rename(temporary / "elsewhere")
    (temporary / f"{PREFIX}link").symlink_to(elsewhere)
    linked_lock = temporary / f"{PREFIX}linked-lock"
    linked_lock.mkdir()
    (linked_lock / LOCK).symlink_to(elsewhere / LOCK)
    (temporary / f"{PREFIX}file").touch()

    remove_left_over()

    assert (elsewhere / "counter_4711.db").exists()
    assert linked_lock.is_dir()
    assert (temporary / f"{PREFIX}file").exists()
