"""The commands of `oa-bridge` are listed without their modules, each as its own help has it."""

import subprocess
import sys

import pytest

from app.cli.command_list import COMMANDS, Listed, load
from tests.command_run import Run, run

__all__ = ["run"]

IMPORTED = "import sys, app.cli.main; print(*(one for one in sys.modules if one[:4] == 'app.'))"


@pytest.mark.parametrize("listed", COMMANDS, ids=lambda listed: listed.name)
def test_a_command_is_listed_with_the_first_line_of_its_help(run: Run, listed: Listed) -> None:
    command = load(listed.name, listed.help)
    status, lines = run(f"{listed.name} --help")

    assert command.help.splitlines()[0] == listed.help
    assert status == 0
    assert f"Usage: oa-bridge {listed.name} " in " ".join(lines)


def test_help_lists_every_command(run: Run) -> None:
    _, lines = run("--help")

    shown = [line.strip("│ ").split(" ")[0] for line in lines]
    assert [name for name in shown if name in {one.name for one in COMMANDS}] == [
        one.name for one in COMMANDS
    ]


def test_a_misspelt_command_is_told_the_right_one(run: Run) -> None:
    status, lines = run("quta")

    assert status == 2
    assert "Did you mean 'quota'?" in " ".join(lines)


def test_no_command_is_imported_before_it_is_called() -> None:
    done = subprocess.run([sys.executable, "-c", IMPORTED], capture_output=True, check=True)

    # Whoever calls one command would wait for what another one needs.
    assert set(done.stdout.decode().split()) == {
        "app.cli",
        "app.cli.command_list",
        "app.cli.main",
        "app.ops",
        "app.ops.gc_tuning",
        "app.tracing",
    }
