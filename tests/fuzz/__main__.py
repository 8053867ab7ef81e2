"""`make fuzz`: fuzz every target, one after the other, and print what came of it.

    .venv/bin/python -m tests.fuzz [TARGET …] [--cases 100000] [--seed 1] [--keep]

Each target has a process of its own, since libFuzzer ends the process that it runs in. A share of
the pushes that it tried is then stored in an embedded Postgres, as the inbox stores them. With
--keep, the inputs that led somewhere new are added to the corpus in the repository.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from tests.fuzz import corpus, database_check
from tests.fuzz.target import NAMES

ROOT: Final = Path(__file__).parents[2]
FOLDER: Final = ROOT / ".programs" / "fuzz"
DEFAULT_CASES: Final = 100_000
MAX_KEPT_BYTES: Final = 600
MAX_KEPT: Final = 60


def _fuzz(name: str, cases: int, seed: int) -> Iterator[str]:
    """Fuzz one target; yield what was found."""
    folder = FOLDER / "runs" / name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "report.json").unlink(missing_ok=True)
    arguments = [name, f"--cases={cases}", f"--seed={seed}", f"--folder={folder}"]
    with (folder / "log").open("w") as log:
        ended = subprocess.run(
            [sys.executable, "-m", "tests.fuzz.fuzz_one", *arguments],
            cwd=ROOT,
            stdout=log,
            stderr=subprocess.STDOUT,
            check=False,
        )
    report: dict[str, Any] = {
        "cases": 0,
        "seconds": 0,
        "cpu_seconds": 0,
        "slowest_ms": 0,
        "faults": {},
    }
    if (folder / "report.json").exists():
        report = json.loads((folder / "report.json").read_text())
    if ended.returncode:
        report["faults"][f"the process ended with {ended.returncode}, see {folder / 'log'}"] = 1
    _print(name, report)
    yield from (f"{name}: {fault} ({times} times)" for fault, times in report["faults"].items())


def _print(name: str, report: dict[str, Any]) -> None:
    a_second, a_cpu_second = (
        report["cases"] / report[unit] if report[unit] else 0 for unit in ("seconds", "cpu_seconds")
    )
    print(
        f"{name:16} {report['cases']:>12,} {a_second:>10,.0f} {a_cpu_second:>13,.0f} "
        f"{len(report['faults']):>6} "
        f"{report['slowest_ms']:>9.1f} ms",
        flush=True,
    )


def _keep(name: str) -> None:
    """Add the shortest inputs of a run that led somewhere new to the corpus."""
    files = (FOLDER / "runs" / name / "corpus").iterdir()
    inputs = sorted((file.read_bytes() for file in files), key=len)
    corpus.add(name, [data for data in inputs if len(data) <= MAX_KEPT_BYTES][:MAX_KEPT])


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the targets; return 1 if anything was found."""
    parser = argparse.ArgumentParser(prog="make fuzz", description=__doc__)
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=", ".join(NAMES))
    parser.add_argument("--cases", type=int, default=DEFAULT_CASES, help="for each target")
    parser.add_argument("--seed", type=int, default=1, help="another one tries other inputs")
    parser.add_argument("--keep", action="store_true", help="add to the corpus what led further")
    asked = parser.parse_args(arguments)
    unknown = {*asked.targets} - {*NAMES}
    if unknown:
        parser.error(f"no target is called {', '.join(sorted(unknown))}: take some of {NAMES}")
    print(f"{'target':16} {'cases':>12} {'a second':>10} {'a CPU second':>13}  found      slowest")
    found: list[str] = []
    for name in asked.targets or NAMES:
        found += _fuzz(name, asked.cases, asked.seed)
        if asked.keep:
            _keep(name)
    runs = {name: FOLDER / "runs" / name / "sample" for name in asked.targets or NAMES}
    *refused, stored = [*database_check.check(runs)] or ["No push was there to be stored."]
    for line in (*found, *refused, stored):
        print(line)
    return 1 if found or refused else 0


if __name__ == "__main__":
    sys.exit(main())
