"""The process that fuzzes one target with Atheris: `python -m tests.fuzz.fuzz_one NAME …`.

It goes on after a finding, and ends after a number of cases. What it did stands in `report.json`,
one input for each cause in `found/`, and a share of all inputs in `sample/`.
"""

import argparse
import gc
import hashlib
import json
import logging
import os
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final

import atheris
import structlog

from tests.fuzz import corpus
from tests.fuzz.judge import judge
from tests.fuzz.target import Target, load

# What is instrumented: the code of the service, and what it reads pushes with.
INSTRUMENTED: Final = ["app", "xmltodict"]
REPORT_EVERY: Final = 1 << 13
SAMPLED: Final = 400
HANG_SECONDS: Final = 30
MEMORY_MB: Final = 2048


@dataclass
class Report:
    """What a run did.

    seconds: by the clock. cpu_seconds: of a processor. faults: how often each was met.
    """

    name: str
    cases: int = 0
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    slowest_ms: float = 0.0
    faults: dict[str, int] = field(default_factory=dict)


class Run:
    """Counts the cases of one target, and ends the process after the last."""

    def __init__(self, name: str, target: Target, cases: int, folder: Path) -> None:
        self._target = target
        self._cases = cases
        self._folder = folder
        self._sample_every = max(1, cases // SAMPLED)
        self._began, self._began_cpu = time.monotonic(), time.process_time()
        self._report = Report(name)

    def case(self, data: bytes) -> None:
        """Try one input."""
        report = self._report
        report.cases += 1
        verdict = judge(self._target, data)
        if verdict.fault is not None:
            self._note(verdict.fault, data)
        report.slowest_ms = max(report.slowest_ms, verdict.seconds * 1000)
        if report.cases % self._sample_every == 0:
            self._keep("sample", data)
        if report.cases % REPORT_EVERY == 0:
            self._write()
        if report.cases >= self._cases:
            self._write()
            os._exit(0)  # libFuzzer has no other end that leaves the figures right

    def _note(self, fault: str, data: bytes) -> None:
        faults = self._report.faults
        if fault not in faults:
            (self._folder / "found" / f"{_digest(data)}.txt").write_text(fault)
            self._keep("found", data)
        faults[fault] = faults.get(fault, 0) + 1

    def _keep(self, kind: str, data: bytes) -> None:
        (self._folder / kind / _digest(data)).write_bytes(data)

    def _write(self) -> None:
        self._report.seconds = time.monotonic() - self._began
        self._report.cpu_seconds = time.process_time() - self._began_cpu
        (self._folder / "report.json").write_text(json.dumps(asdict(self._report)))


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:16]


def _prepare(name: str, target: Target, folder: Path) -> None:
    for kind in ("corpus", "found", "sample"):
        (folder / kind).mkdir(parents=True, exist_ok=True)
    for data in (*target.seeds(), *corpus.read(name)):
        (folder / "corpus" / _digest(data)).write_bytes(data)
    escaped = (
        "".join(f"\\x{byte:02x}" for byte in word.encode("utf-8", "surrogatepass"))
        for word in target.words
    )
    (folder / "words.dict").write_text("".join(f'"{word}"\n' for word in escaped))


def main() -> None:
    """Fuzz until the cases are done."""
    parser = argparse.ArgumentParser()
    parser.add_argument("name")
    parser.add_argument("--cases", type=int, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--folder", type=Path, required=True)
    asked = parser.parse_args()
    # A warning for each case would be the most of the work.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    with atheris.instrument_imports(include=INSTRUMENTED):
        target = load(asked.name)
    _prepare(asked.name, target, asked.folder)
    run = Run(asked.name, target, asked.cases, asked.folder)
    arguments = [
        sys.argv[0],
        str(asked.folder / "corpus"),
        f"-max_len={target.max_bytes}",
        f"-seed={asked.seed}",
        f"-timeout={HANG_SECONDS}",
        f"-rss_limit_mb={MEMORY_MB}",
        f"-artifact_prefix={asked.folder / 'found'}/",
        "-print_final_stats=1",
        *([f"-dict={asked.folder / 'words.dict'}"] if target.words else []),
    ]
    atheris.Setup(arguments, run.case)
    gc.collect()
    gc.freeze()
    atheris.Fuzz()


if __name__ == "__main__":
    main()
