"""Measures how soon changed rules are served, and how long the event loop is blocked meanwhile.

Run it with `python -m benchmarks.rules_reload`; --quick measures with 1,000 rules only.
"""

import asyncio
import random
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from statistics import median
from typing import Annotated, Any, Final

import asyncpg
import structlog
import typer
from rich import box
from rich.console import Console
from rich.table import Table

from app.db.engine import Database, connect, open_database
from app.ops import gc_tuning
from app.rules.live import LiveRules
from benchmarks import database
from benchmarks.keywords import Keywords

SIZES: Final = (1_000, 10_000)
EDITS: Final = 30
AIM_SECONDS: Final = 1
AIM_GAP_MS: Final = 50

console = Console()


def main(
    quick: Annotated[bool, typer.Option("--quick", help="1,000 rules only")] = False,
) -> None:
    """Measure, and print a table for each number of rules."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(30))
    with tempfile.TemporaryDirectory(prefix="oa-bridge-bench-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)  # Postgres may run as another user
        postgres = database.start(folder)
        for size in SIZES[:1] if quick else SIZES:
            console.print(asyncio.run(_measured(postgres, size)))


class Gaps:
    """Measures how late the event loop runs a task that is due every millisecond."""

    def __init__(self) -> None:
        self._largest = 0.0

    async def watch(self) -> None:
        """Measure until cancelled."""
        last = time.perf_counter()
        while True:
            await asyncio.sleep(0.001)
            now = time.perf_counter()
            self._largest = max(self._largest, now - last)
            last = now

    def take(self) -> float:
        """Return the largest gap since the last call, in milliseconds."""
        largest, self._largest = self._largest, 0.0
        return largest * 1000


class Watched(LiveRules):
    """Live rules that let a caller wait for a reload."""

    def __init__(self, opened: Database) -> None:
        super().__init__(opened, on_reload=lambda _: self._reloaded.set())
        self._reloaded = asyncio.Event()

    async def reached(self, version: int) -> None:
        """Wait until this version or a later one is served."""
        while self.current is None or self.current.version < version:
            await self._reloaded.wait()
            self._reloaded.clear()

    async def rebuilt(self) -> None:
        """Wait until nothing is compiled in the background."""
        if self._rebuilding is not None:
            await self._rebuilding


@asynccontextmanager
async def _running(live: Watched) -> AsyncIterator[Gaps]:
    gaps = Gaps()
    following, watching = asyncio.create_task(live.run()), asyncio.create_task(gaps.watch())
    yield gaps
    await live.stop()
    await following
    watching.cancel()
    with suppress(asyncio.CancelledError):
        await watching


async def _measured(postgres: database.Postgres, size: int) -> Table:
    url = await database.create(postgres, f"rules_{size}")
    await database.fill(url, Keywords.draw(size, random.Random(1)))
    opened, connection = open_database(url), await connect(url)
    await connection.execute("ANALYZE")
    table = Table(title=f"{size:,} rules", box=box.SIMPLE)
    for column in ("what", "live after, ms", "largest gap of the loop, ms"):
        table.add_column(column, justify="left" if column == "what" else "right")
    live = Watched(opened)
    began = time.perf_counter()
    await live.load_once()
    table.add_row("start", f"{(time.perf_counter() - began) * 1000:,.0f}", "")
    gc_tuning.freeze_heap()
    async with _running(live) as gaps:
        await asyncio.sleep(0.5)
        gaps.take()
        one = [await _edit(connection, live, number, number) for number in range(1, EDITS + 1)]
        aims = f"< {AIM_SECONDS * 1000:,}", f"< {AIM_GAP_MS}"
        table.add_row(
            "one rule: median, slowest",
            f"{median(one):,.0f}, {max(one):,.0f} ({aims[0]})",
            f"{gaps.take():,.0f} ({aims[1]})",
        )
        for count in (1000, size // 5, size):
            taken = await _edit(connection, live, 1, count)
            await live.rebuilt()
            table.add_row(f"{count:,} rules at once", f"{taken:,.0f}", f"{gaps.take():,.0f}")
    await connection.close()
    await opened.close()
    return table


async def _edit(connection: asyncpg.Connection, live: Watched, first: int, last: int) -> float:
    """Change rules; return the milliseconds from the commit until they are served."""
    change = "UPDATE rules SET name = name || '.' WHERE id BETWEEN $1 AND $2"
    bound: tuple[Any, ...] = (change, first, last)
    await connection.execute(*bound, timeout=600)
    began = time.perf_counter()
    version = await connection.fetchval("SELECT version FROM rules_version")
    await live.reached(version)
    return (time.perf_counter() - began) * 1000


if __name__ == "__main__":
    typer.run(main)
