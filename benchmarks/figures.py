"""Figures of a run: medians over the rounds; ratios are computed within a round."""

from collections.abc import Callable, Sequence
from statistics import median
from typing import Final

from pydantic import BaseModel, ConfigDict

from benchmarks.measure import Measurement, Way
from benchmarks.rounds import Outcome

# By connections and rules: the least part of the throughput of (a).
AIMS_OF_EMPTY: Final = {(64, 200): 0.50, (64, 10_000): 0.48, (256, 200): 0.60}
AIM_SERVICE_MS: Final = 0.13
AIM_POSTGRES_MS: Final = 0.035
AIM_LOST: Final = 0.03
# 0.8 ms where a commit takes 0.25 ms.
AIM_COMMITS: Final = 3.2


class Row(BaseModel):
    """One way with one number of rules and connections; every figure is a median.

    of_empty, of_no_storage: throughput divided by that of (a) or (b) in the same round. service_ms,
    postgres_ms: CPU time per callback. *_cpu: number of busy cores.
    """

    model_config = ConfigDict(frozen=True)

    way: Way
    rules: int
    connections: int
    per_second: float
    p50_ms: float
    p99_ms: float
    service_ms: float
    postgres_ms: float
    of_empty: float
    of_no_storage: float
    service_cpu: float
    postgres_cpu: float
    client_cpu: float
    others_cpu: float


class Lost(BaseModel):
    """Part of the throughput of (c) that is lost with the most rules; negative: gained."""

    model_config = ConfigDict(frozen=True)

    connections: int
    part: float


class Figures(BaseModel):
    """The whole result. commit_ms: median of one commit. lone_ms: p50 with one connection."""

    model_config = ConfigDict(frozen=True)

    rows: list[Row]
    lost: list[Lost]
    commit_ms: float
    lone_ms: float

    @property
    def lone_in_commits(self) -> float:
        """The time of a callback with one connection, in commits."""
        return self.lone_ms / self.commit_ms

    def last_of(self, row: Row) -> Row:
        """Return the last row with the same number of rules and connections."""
        group = (row.rules, row.connections)
        return [other for other in self.rows if (other.rules, other.connections) == group][-1]

    def at_aim(self) -> list[Row]:
        """Return the rows of (c) to which the aims apply."""
        return [
            row
            for row in self.rows
            if row.way is Way.DURABLE and (row.connections, row.rules) in AIMS_OF_EMPTY
        ]


def figures_of(outcome: Outcome) -> Figures:
    """Compute the figures of a run."""
    table = _Table(outcome.measurements)
    fewest, most = table.rules[0], table.rules[-1]
    return Figures(
        rows=[
            table.row(way, rules, connections)
            for connections in table.connections
            for rules in table.rules
            for way in Way
            if table.has((way, rules, connections))
        ],
        lost=[
            Lost(
                connections=connections,
                part=1
                - table.ratio((Way.DURABLE, most, connections), (Way.DURABLE, fewest, connections)),
            )
            for connections in table.connections
        ],
        commit_ms=median(commit.p50_ms for commit in outcome.commits),
        lone_ms=table.median((Way.DURABLE, fewest, 1), lambda m: m.load.p50_ms),
    )


_Key = tuple[Way, int, int]


class _Table:
    """Measurements by way, rules and connections, in the order of the rounds."""

    def __init__(self, measurements: Sequence[Measurement]) -> None:
        self.rules = sorted({m.rules for m in measurements})
        self.connections = sorted({m.connections for m in measurements})
        self._cells: dict[_Key, list[Measurement]] = {}
        for m in sorted(measurements, key=lambda m: m.number):
            self._cells.setdefault((m.way, m.rules, m.connections), []).append(m)

    def has(self, key: _Key) -> bool:
        return key in self._cells

    def median(self, key: _Key, of: Callable[[Measurement], float]) -> float:
        return median(of(m) for m in self._cells[key])

    def ratio(self, key: _Key, to: _Key) -> float:
        pairs = zip(self._cells[key], self._cells[to], strict=True)
        return median(one.load.per_second / other.load.per_second for one, other in pairs)

    def row(self, way: Way, rules: int, connections: int) -> Row:
        key = (way, rules, connections)
        return Row(
            way=way,
            rules=rules,
            connections=connections,
            per_second=self.median(key, lambda m: m.load.per_second),
            p50_ms=self.median(key, lambda m: m.load.p50_ms),
            p99_ms=self.median(key, lambda m: m.load.p99_ms),
            service_ms=self.median(key, lambda m: m.service_ms),
            postgres_ms=self.median(key, lambda m: m.postgres_ms),
            of_empty=self.ratio(key, (Way.EMPTY, rules, connections)),
            of_no_storage=self.ratio(key, (Way.NO_STORAGE, rules, connections)),
            service_cpu=self.median(key, lambda m: m.service_cpu_s / m.cpu_wall_s),
            postgres_cpu=self.median(key, lambda m: m.postgres_cpu_s / m.cpu_wall_s),
            client_cpu=self.median(key, lambda m: m.load.client_cpu_s / m.cpu_wall_s),
            others_cpu=self.median(key, lambda m: m.others_cpu_s / m.cpu_wall_s),
        )
