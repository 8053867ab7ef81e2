"""A whole run: starts all servers and measures them one after the other, in several rounds."""

import asyncio
import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks import database, servers
from benchmarks.database import Commits, Postgres
from benchmarks.keywords import Keywords
from benchmarks.measure import Bench, Contender, Measurement, Pushes, Way
from benchmarks.pushes import write_pushes

SEED = 20261124
RULES = (200, 10_000)
# They know no rules, so they are measured once.
PEERS = {Way.SKETCH: "sketch", Way.WECHATPY: "wechatpy_peer"}
MAX_PER_SECOND = 15_000
WARM_UP_CONNECTIONS = 64

Report = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """Extent of a run. seconds: of one measurement."""

    seconds: float
    rounds: int
    connections: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """All measurements. commits: one value for each round."""

    measurements: list[Measurement]
    commits: list[Commits]


@dataclass(frozen=True, slots=True)
class Field:
    """The servers with one number of rules."""

    keywords: Keywords
    contenders: Sequence[Contender]


def run(plan: Plan, client: Path, folder: Path, report: Report) -> Outcome:
    """Start all servers under `folder`, measure, and stop them. Raises BadMeasurement.

    client: the program wxload. report: is called with one line about each stage.
    """
    postgres = database.start(folder / "data")
    with ExitStack() as stack:
        bench = Bench(client, postgres, folder, plan.seconds)
        report("starting the servers")
        fields = [stack.enter_context(_field(rules, postgres, folder)) for rules in RULES]
        commits_url = asyncio.run(database.create(postgres, "commits"))
        return _Run(plan, bench, fields, commits_url, random.Random(SEED), report).all_rounds()


@contextmanager
def _field(rules: int, postgres: Postgres, folder: Path) -> Iterator[Field]:
    keywords = Keywords.draw(rules, random.Random(SEED))
    url = asyncio.run(database.create(postgres, f"rules_{rules}"))
    asyncio.run(database.fill(url, keywords))
    servers_folder = folder / str(rules)
    with (
        servers.bare("benchmarks.empty_route:build", servers_folder / "a", url) as empty,
        servers.bare("benchmarks.no_storage:build", servers_folder / "b", url) as no_storage,
        servers.service(servers_folder / "c", url) as durable,
        ExitStack() as stack,
    ):
        ways = {Way.EMPTY: empty, Way.NO_STORAGE: no_storage, Way.DURABLE: durable}
        if rules == RULES[0]:
            ways |= {
                way: stack.enter_context(
                    servers.bare(f"benchmarks.{name}:build", servers_folder / way, url)
                )
                for way, name in PEERS.items()
            }
        yield Field(keywords, [Contender(way, rules, on, url) for way, on in ways.items()])


@dataclass(frozen=True, slots=True)
class _Run:
    plan: Plan
    bench: Bench
    fields: Sequence[Field]
    commits_url: str
    rng: random.Random
    report: Report

    def all_rounds(self) -> Outcome:
        self.report("warming up")
        for field in self.fields:
            self._each(field, WARM_UP_CONNECTIONS, 0)
        outcome = Outcome([], [])
        for number in range(1, self.plan.rounds + 1):
            outcome.commits.append(
                asyncio.run(database.time_commits(self.commits_url, self.plan.seconds))
            )
            for connections in self.plan.connections:
                self.report(f"round {number} of {self.plan.rounds}, {connections} connections")
                # The order is reversed each time, so that a drift of the machine favours no server.
                for field in self.fields if number % 2 else reversed(self.fields):
                    outcome.measurements.extend(self._each(field, connections, number))
        return outcome

    def _each(self, field: Field, connections: int, number: int) -> list[Measurement]:
        """Measure all servers with the same new pushes; each gets each of them once."""
        path = self.bench.folder / "pushes"
        count = int(self.plan.seconds * MAX_PER_SECOND) + connections
        pushes = Pushes(path, write_pushes(path, count, field.keywords, self.rng))
        return [
            self.bench.measure(contender, pushes, connections=connections, number=number)
            for contender in field.contenders
        ]
