"""Builds and runs wxload. It is written in C, because Python would be the bottleneck."""

import shutil
import subprocess
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict

SOURCE: Final = Path(__file__).with_name("wxload.c")
COMPILERS: Final = ("cc", "gcc", "clang")
GRACE_SECONDS: Final = 20


class NoCompiler(Exception):
    """There is no C compiler on this machine."""


class Load(BaseModel):
    """What wxload measured.

    ramp_requests: first replies, before the measurement began. ran_out: all pushes of the file were
    sent before the time was over, so `seconds` is shorter than requested.
    """

    model_config = ConfigDict(frozen=True)

    requests: int
    seconds: float
    per_second: float
    p50_ms: float
    p99_ms: float
    max_ms: float
    ramp_requests: int
    non200: int
    errors: int
    reconnects: int
    unfinished: int
    ran_out: bool
    client_cpu_s: float

    @property
    def answered(self) -> int:
        """Number of requests that got a reply."""
        return self.requests + self.ramp_requests

    @property
    def faults(self) -> list[str]:
        """Faults that make this measurement invalid, one text each."""
        counted = {
            "not 200": self.non200,
            "failed": self.errors,
            "unfinished": self.unfinished,
        }
        return [f"{what}: {count}" for what, count in counted.items() if count]


def build(folder: Path) -> Path:
    """Compile wxload into `folder`. Raises NoCompiler, subprocess.CalledProcessError."""
    compiler = next(filter(None, map(shutil.which, COMPILERS)), None)
    if compiler is None:
        raise NoCompiler
    program = folder / "wxload"
    subprocess.run([compiler, "-O2", "-o", str(program), str(SOURCE)], check=True, timeout=60)
    return program


def run(
    program: Path, requests: Path, samples: Path, *, port: int, connections: int, seconds: float
) -> Load:
    """Send pushes of the file `requests` to 127.0.0.1 for `seconds`, each push once."""
    options = {"f": requests, "s": samples, "p": port, "c": connections, "t": seconds}
    done = subprocess.run(
        [
            str(program),
            *(part for name, value in options.items() for part in (f"-{name}", str(value))),
        ],
        check=True,
        capture_output=True,
        timeout=seconds + GRACE_SECONDS,
    )
    return Load.model_validate_json(done.stdout)
