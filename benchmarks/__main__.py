"""`make bench`: measures callbacks per second, then matching, reloading of rules, and lists.

Callbacks are measured with an empty route, with the service without storage, and with the service
itself.
"""

import asyncio
import atexit
import json
import platform
import shutil
import signal
import sys
import tempfile
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final

import psutil
import typer
from rich.console import Console

from benchmarks import (
    history_reading,
    load_client,
    report,
    rounds,
    rules_matching,
    rules_reload,
)
from benchmarks.figures import Figures, figures_of
from benchmarks.measure import BadMeasurement
from benchmarks.rounds import Outcome, Plan
from benchmarks.servers import NotStarted

OUT: Final = Path(__file__).with_name("out")
CONNECTIONS: Final = (1, 16, 64, 256)
FEW_ROWS: Final = 100_000
MANY_ROWS: Final = 1_000_000

console = Console()


def main(
    seconds: Annotated[
        float, typer.Option(min=0.2, max=60, help="length of one measurement")
    ] = 2.0,
    quick: Annotated[
        bool, typer.Option("--quick", help="one round of 0.5 s at 1 and 64 connections")
    ] = False,
) -> None:
    """Measure and print tables; write the figures of the callbacks to benchmarks/out as JSON."""
    plan = Plan(0.5, 1, (1, 64)) if quick else Plan(seconds, 3, CONNECTIONS)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    OUT.mkdir(exist_ok=True)
    folder = _temporary_folder()
    try:
        client = load_client.build(folder)
        outcome = rounds.run(plan, client, folder, console.print)
    except load_client.NoCompiler:
        console.print("A C compiler (cc, gcc or clang) is needed to build the load generator.")
        sys.exit(2)
    except (BadMeasurement, NotStarted) as error:
        console.print(f"No result: {error}", markup=False)
        sys.exit(1)
    figures = figures_of(outcome)
    report.show(figures, console)
    console.print(f"Everything measured: {_keep(plan, outcome, figures)}")
    rules_matching.main(quick)
    rules_reload.main(quick)
    with history_reading.temporary_postgres() as url:
        good = asyncio.run(history_reading.run(url, FEW_ROWS if quick else MANY_ROWS))
    if not good:
        sys.exit("a page of a list took too long, or was not read by an index")


def _temporary_folder() -> Path:
    """Make a folder that is removed at exit, after the embedded Postgres has stopped."""
    # It lies next to the code: the system's temporary folder may be in memory, where a commit costs
    # nothing.
    folder = Path(tempfile.mkdtemp(prefix="run-", dir=OUT))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    folder.chmod(0o755)  # Postgres may run as another user
    return folder


def _keep(plan: Plan, outcome: Outcome, figures: Figures) -> Path:
    now = datetime.now(UTC)
    path = OUT / f"{now:%Y-%m-%d-%H%M%S}.json"
    everything = {
        "at": now.isoformat(timespec="seconds"),
        "machine": {
            "system": platform.platform(),
            "cores": psutil.cpu_count(),
            "memory_bytes": psutil.virtual_memory().total,
            "python": platform.python_version(),
        },
        "plan": asdict(plan),
        "figures": figures.model_dump(mode="json"),
        "commits": [asdict(commits) for commits in outcome.commits],
        "measurements": [m.model_dump(mode="json") for m in outcome.measurements],
    }
    path.write_text(json.dumps(everything, indent=1), encoding="utf-8")
    return path


typer.run(main)
