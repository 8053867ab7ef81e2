"""What a release before the renaming has stored: see tests/data/before_renaming/README.md."""

import json
import shutil
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg

from tests.service import Json, WorldClock

FOLDER = Path(__file__).parent / "data" / "before_renaming"
SPOOL = "spool.sqlite3"
SECRET_KEY = "a key of thirty-two characters!!"
# A few seconds after the last callback of the spool.
UPGRADE = datetime(2026, 11, 24, 12, 0, 27, tzinfo=UTC)


def stored(name: str) -> Any:  # noqa: ANN401 - the caller knows what the file holds
    """Return what a JSON file of the folder holds."""
    return json.loads((FOLDER / name).read_text(encoding="utf-8"))


def leave_spool(data_dir: Path) -> None:
    """Put the spool where a release of today looks for it."""
    shutil.copy(FOLDER / SPOOL, data_dir / SPOOL)


def go_to_upgrade(clock: WorldClock) -> None:
    """Set the clock to the moment of the upgrade."""
    clock.advance(UPGRADE - clock.now())


async def insert(connection: asyncpg.Connection, table: str, rows: Sequence[Json]) -> None:
    """Add rows as they were; columns that are newer get their defaults."""
    columns = ", ".join(f'"{name}"' for name in rows[0])
    await connection.execute(
        f"INSERT INTO {table} ({columns}) "  # noqa: S608 - names of the kept files
        f"SELECT {columns} FROM jsonb_populate_recordset(NULL::{table}, $1::jsonb)",
        json.dumps(rows),
    )


async def rows_like(
    connection: asyncpg.Connection, table: str, expected: Sequence[Json]
) -> list[Json]:
    """Return every row of a table, each cut to the members that one of the expected rows has.

    A row is compared with the expected one of the same place: both are sorted by what all of the
    expected rows have.
    """
    await connection.execute("SET timezone = 'UTC'")
    found = await connection.fetch(f"SELECT to_jsonb(t)::text AS row FROM {table} t")  # noqa: S608
    common = set.intersection(*(set(row) for row in expected))
    rows = in_order([json.loads(one["row"]) for one in found], common)
    if len(rows) != len(expected):
        return rows
    pairs = zip(rows, in_order(expected, common), strict=True)
    return [{name: row.get(name) for name in like} for row, like in pairs]


def in_order(rows: Sequence[Json], names: set[str]) -> list[Json]:
    """Return rows sorted by these members."""
    return sorted(rows, key=lambda row: json.dumps([row.get(name) for name in sorted(names)]))
