"""Measures the memory of web processes with as many, and as large, rules as there may be.

Run it with `python -m benchmarks.rules_memory`, on Linux. All bounds of `app.rules.editing.room`
are reached at once, in letters of which Python keeps four bytes each. It fails above 400 MB.
"""

import asyncio
import random
import tempfile
from pathlib import Path
from typing import Any, Final

import httpx
import psutil
import typer
from rich import box
from rich.console import Console
from rich.table import Table

from app.rules.definition.schemas import RuleIn
from app.rules.editing.edit import columns
from app.rules.editing.room import MAX_ALL_BYTES, MAX_ALL_KEYWORDS, MAX_RULES, weight_of
from benchmarks import database, servers
from benchmarks.keywords import Keywords

AIM_MB: Final = 400
CHARACTERS: Final = "".join(map(chr, range(0x4E00, 0x9FA5)))
WIDE: Final = "😀"
LIVE_SECONDS: Final = 300

Rule = dict[str, Any]


def main() -> None:
    """Measure, and print a table."""
    with tempfile.TemporaryDirectory(prefix="oa-bridge-bench-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)  # Postgres may run as another user
        postgres = database.start(folder)
        table, most = asyncio.run(_measured(postgres, folder))
    Console().print(table)
    raise typer.Exit(most > AIM_MB)


def full_set(mark: str) -> list[Rule]:
    """Return rules that reach all bounds. mark: their names begin with it."""
    draw = random.Random(mark)
    rules: list[Rule] = [
        {
            "name": f"{mark}{number}",
            "trigger": {
                "on": "text",
                "match": "all",
                "keywords": [
                    "".join(draw.choices(CHARACTERS, k=4))
                    for _ in range(MAX_ALL_KEYWORDS // MAX_RULES)
                ],
            },
            "replies": [{"msgtype": "text", "via": "passive", "content": WIDE}],
        }
        for number in range(MAX_RULES)
    ]
    taken = sum(weight_of(columns(RuleIn.model_validate(rule))).size for rule in rules)
    room = (MAX_ALL_BYTES - taken) // MAX_RULES
    for rule in rules:
        rule["replies"][0]["content"] = "x" * room + WIDE
    return rules


async def _measured(postgres: database.Postgres, folder: Path) -> tuple[Table, float]:
    """Return the table, and the most memory that a web process has had, in MB."""
    url = await database.create(postgres, "rules_memory")
    await database.fill(url, Keywords.draw(1, random.Random(1)))
    table = Table(title=f"{MAX_RULES:,} rules", box=box.SIMPLE)
    for column in ("what", "MB", "most, MB"):
        table.add_column(column, justify="left" if column == "what" else "right")
    most = 0.0
    with servers.service(folder / "service", url) as server:
        headers = {"Authorization": f"Bearer {servers.ADMIN_TOKEN}"}
        async with httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{server.port}", headers=headers, timeout=LIVE_SECONDS
        ) as client:
            table.add_row("start", *map(_shown, _memory(server)))
            for what, others in (
                ("import", ()),
                ("an import that replaces all", ()),
                ("the same, with conflicts and an export", ("conflicts", "export")),
            ):
                await asyncio.gather(
                    _import(client, full_set(what)),
                    *(client.get(f"/api/rules/{one}") for one in others),
                )
                await _live(client)
                now, peak = _memory(server)
                most = max(most, peak)
                table.add_row(what, _shown(now), f"{_shown(peak)} (< {AIM_MB})")
    return table, most


async def _import(client: httpx.AsyncClient, rules: list[Rule]) -> None:
    answer = await client.post("/api/rules/import", json={"rules": rules})
    answer.raise_for_status()


async def _live(client: httpx.AsyncClient) -> None:
    """Return once both web processes have what was imported: readiness asks either of them."""
    seen = 0
    while seen < 10 * servers.WEB_PROCESSES:
        parts = (await client.get("/readyz", headers={"Connection": "close"})).json()["parts"]
        seen = seen + 1 if parts["rules"]["count"] >= MAX_RULES else 0
        await asyncio.sleep(0.2)


def _memory(server: servers.Server) -> tuple[float, float]:
    """Return the memory of the largest web process, now and at its peak, in MB."""
    children = psutil.Process(server.pid).children(recursive=True)
    return (
        max(child.memory_info().rss for child in children) / 2**20,
        max(_peak(child.pid) for child in children),
    )


def _peak(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
    (line,) = (line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) / 1024


def _shown(megabytes: float) -> str:
    return f"{megabytes:,.0f}"


if __name__ == "__main__":
    typer.run(main)
