"""One measurement: puts a load on one server and measures the CPU time."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict

from benchmarks import database, load_client
from benchmarks.cpu import cpu_seconds, machine_seconds
from benchmarks.database import Postgres
from benchmarks.load_client import Load
from benchmarks.pushes import Expected
from benchmarks.replies import check_samples, is_sealed_fallback, is_sealed_reply, is_success
from benchmarks.servers import Server


class Way(StrEnum):
    """What a server does with a callback; the letters are those of the report."""

    EMPTY = "a"
    NO_STORAGE = "b"
    DURABLE = "c"
    SKETCH = "d"
    WECHATPY = "e"


# Checks of the replies; those of all other ways come from the rules.
CHECKS: Final = {
    Way.EMPTY: is_success,
    Way.SKETCH: is_success,
    Way.WECHATPY: is_sealed_fallback,
}


class BadMeasurement(Exception):
    """Replies were wrong or missing, so the measurement is invalid."""


@dataclass(frozen=True, slots=True)
class Contender:
    """A server to measure. url: the database with its rules and callbacks."""

    way: Way
    rules: int
    server: Server
    url: str


@dataclass(frozen=True, slots=True)
class Pushes:
    """A file of pushes, and the reply that each of them must get."""

    path: Path
    expected: Sequence[Expected]


class Measurement(BaseModel):
    """Result of one load. number: that of the round. samples: number of replies that were checked.

    service_cpu_s, postgres_cpu_s: CPU time of the process trees, user and system. machine_cpu_s:
    that of all processes. cpu_wall_s: duration in which they were measured; it includes the start
    of the load, which `load.seconds` does not.
    """

    model_config = ConfigDict(frozen=True)

    way: Way
    rules: int
    connections: int
    number: int
    load: Load
    samples: int
    service_cpu_s: float
    postgres_cpu_s: float
    machine_cpu_s: float
    cpu_wall_s: float

    @property
    def service_ms(self) -> float:
        """CPU time of the service per callback, in milliseconds."""
        return self.service_cpu_s * 1000 / self.load.answered

    @property
    def postgres_ms(self) -> float:
        """CPU time of Postgres per callback, in milliseconds."""
        return self.postgres_cpu_s * 1000 / self.load.answered

    @property
    def others_cpu_s(self) -> float:
        """CPU time of processes that do not belong to the benchmark."""
        ours = self.service_cpu_s + self.postgres_cpu_s + self.load.client_cpu_s
        return max(0.0, self.machine_cpu_s - ours)


@dataclass(frozen=True, slots=True)
class Bench:
    """What every measurement needs. client: the program wxload. folder: for temporary files."""

    client: Path
    postgres: Postgres
    folder: Path
    seconds: float

    def measure(
        self, contender: Contender, pushes: Pushes, *, connections: int, number: int
    ) -> Measurement:
        """Put a load on `contender`, and check its replies and the number of stored callbacks.

        number: that of the round. Raises BadMeasurement.
        """
        samples = self.folder / "samples"
        stored = asyncio.run(database.count_stored(contender.url))
        before = self._cpu(contender)
        load = load_client.run(
            self.client,
            pushes.path,
            samples,
            port=contender.server.port,
            connections=connections,
            seconds=self.seconds,
        )
        service, postgres, machine, wall = (
            after - earlier for earlier, after in zip(before, self._cpu(contender), strict=True)
        )
        counts = asyncio.run(database.count_stored(contender.url))
        new = [after - earlier for earlier, after in zip(stored, counts, strict=True)]
        check = CHECKS.get(contender.way, is_sealed_reply)
        count, problems = check_samples(samples, pushes.expected, check)
        problems += load.faults
        if new != [load.answered * (contender.way is way) for way in (Way.DURABLE, Way.SKETCH)]:
            problems.append(f"answered {load.answered} callbacks, stored {new}")
        if problems:
            what = f"({contender.way}), {contender.rules} rules, {connections} connections"
            raise BadMeasurement(f"{what}: {'; '.join(problems[:5])}")
        return Measurement(
            way=contender.way,
            rules=contender.rules,
            connections=connections,
            number=number,
            load=load,
            samples=count,
            service_cpu_s=service,
            postgres_cpu_s=postgres,
            machine_cpu_s=machine,
            cpu_wall_s=wall,
        )

    def _cpu(self, contender: Contender) -> tuple[float, float, float, float]:
        return (
            cpu_seconds(contender.server.pid),
            cpu_seconds(self.postgres.pid),
            machine_seconds(),
            time.monotonic(),
        )
