"""Prints the result: a table, the aims, and which processes keep the cores busy."""

import os
from collections.abc import Iterator
from typing import Final

from rich import box
from rich.console import Console
from rich.table import Table

from benchmarks.figures import (
    AIM_COMMITS,
    AIM_LOST,
    AIM_POSTGRES_MS,
    AIM_SERVICE_MS,
    AIMS_OF_EMPTY,
    Figures,
    Row,
)
from benchmarks.measure import Way

WAYS: Final = (
    "(a) empty FastAPI route. (b) verify, decrypt, parse, match and sealed reply, nothing stored. "
    "(c) oa-bridge serve, every callback committed before it is answered. "
    "(d) a sketch in FastAPI that verifies, decrypts, commits and answers `success`. "
    "(e) wechatpy in FastAPI, a sealed reply, nothing stored. "
    "web, PG: CPU of the web processes and of Postgres, ms a callback."
)

MAX_OTHER_CORES: Final = 0.2


def show(figures: Figures, console: Console) -> None:
    """Print everything."""
    console.print(_table(figures))
    console.print(_aims(figures))
    for line in _bounds(figures):
        console.print(line)


def _table(figures: Figures) -> Table:
    table = Table(title="Callbacks through 2 web processes", caption=WAYS, box=box.SIMPLE)
    names = ("conns", "rules", "", "per s", "p50 ms", "p99 ms", "web", "PG", "of a", "of b")
    for name in names:
        table.add_column(name, justify="right", no_wrap=True)
    for row in figures.rows:
        table.add_row(*_cells(row), end_section=row is figures.last_of(row))
    return table


def _cells(row: Row) -> Iterator[str]:
    yield str(row.connections)
    yield f"{row.rules:,}"
    yield row.way
    yield f"{row.per_second:,.0f}"
    yield f"{row.p50_ms:.2f}"
    yield f"{row.p99_ms:.2f}"
    yield f"{row.service_ms:.3f}"
    yield f"{row.postgres_ms:.3f}" if row.way in {Way.DURABLE, Way.SKETCH} else ""
    yield f"{row.of_empty:.2f}" if row.way is not Way.EMPTY else ""
    yield f"{row.of_no_storage:.2f}" if row.way is Way.DURABLE else ""


def _aims(figures: Figures) -> Table:
    table = Table(title="Aims for (c)", box=box.SIMPLE)
    for name in ("what", "reached", "aim"):
        table.add_column(name, justify="left" if name == "what" else "right")
    for row in figures.at_aim():
        at = f"at {row.connections} with {row.rules:,} rules"
        least = AIMS_OF_EMPTY[row.connections, row.rules]
        table.add_row(f"throughput {at}", *_aim(row.of_empty, least, "of a", least=True))
        table.add_row(f"web CPU a callback {at}", *_aim(row.service_ms, AIM_SERVICE_MS, "ms"))
        table.add_row(f"Postgres {at}", *_aim(row.postgres_ms, AIM_POSTGRES_MS, "ms"))
    for lost in figures.lost:
        what = f"lost from 200 to 10,000 rules at {lost.connections}"
        table.add_row(what, *_aim(lost.part * 100, AIM_LOST * 100, "%"))
    what = f"lone callback {figures.lone_ms:.2f} ms, one commit {figures.commit_ms:.2f} ms"
    table.add_row(what, *_aim(figures.lone_in_commits, AIM_COMMITS, "commits"))
    return table


def _aim(value: float, aim: float, unit: str, *, least: bool = False) -> tuple[str, str]:
    met = value >= aim if least else value <= aim
    colour = "green" if met else "red"
    sign = "≥" if least else "≤"
    return f"[{colour}]{value:.3g} {unit}[/{colour}]", f"{sign} {aim:g} {unit}"


def _bounds(figures: Figures) -> Iterator[str]:
    """Yield lines about busy cores: if all cores are busy, CPU limits the throughput."""
    for row in figures.at_aim():
        yield (
            f"Of {os.cpu_count()} cores, (c) at {row.connections} with {row.rules:,} rules: "
            f"web {row.service_cpu:.2f}, Postgres {row.postgres_cpu:.2f}, "
            f"load generator {row.client_cpu:.2f}, everything else {row.others_cpu:.2f}"
        )
    if any(row.others_cpu > MAX_OTHER_CORES for row in figures.rows):
        yield "[red]Other processes used this machine: measure again when it is idle.[/red]"
