"""Builds the indexes that are built while callbacks are stored, after the migrations.

An index of a model with `postgresql_concurrently=True` is one of them. No migration creates it,
since Postgres builds no index concurrently inside a transaction. Without one of them queries are
slow and right.
"""

import asyncio
from typing import Final

import asyncpg
from sqlalchemy import Index
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.schema import CreateIndex

from app.db.base import Base

LOCK: Final = "db.index_builder"
POLL_SECONDS: Final = 0.2
# Of one index: a table of a hundred million rows takes minutes.
BUILD_SECONDS: Final = 12 * 3600.0

# What a build that was interrupted leaves behind: Postgres keeps it up to date and never reads it.
_INVALID: Final = """
SELECT c.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
WHERE NOT i.indisvalid AND c.relname = ANY($1::text[]) AND pg_table_is_visible(c.oid)
"""
_MISSING: Final = """
SELECT name FROM unnest($1::text[]) AS name WHERE to_regclass(quote_ident(name)) IS NULL
"""


async def build_indexes(engine: AsyncEngine) -> list[str]:
    """Build what is missing, and return the names. Waits while another process builds."""
    indexes = {str(index.name): index for index in _concurrent()}
    async with engine.connect() as pooled:
        connection = (await pooled.get_raw_connection()).driver_connection
        if connection is None or not await _unbuilt(connection, indexes):
            return []
        await _lock(connection)
        try:
            # What waits for the lock must hold no snapshot: the build would wait for it, too.
            names = await _unbuilt(connection, indexes)
            for name in names:
                await connection.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
                await connection.execute(_statement(indexes[name]), timeout=BUILD_SECONDS)
            return names
        finally:
            await connection.execute("SELECT pg_advisory_unlock(hashtextextended($1, 0))", LOCK)


def _concurrent() -> list[Index]:
    return [
        index
        for table in Base.metadata.sorted_tables
        for index in sorted(table.indexes, key=lambda index: str(index.name))
        if index.dialect_options["postgresql"]["concurrently"]
    ]


def _statement(index: Index) -> str:
    return str(CreateIndex(index).compile(dialect=postgresql.dialect()))  # type: ignore[no-untyped-call]


async def _unbuilt(connection: asyncpg.Connection, indexes: dict[str, Index]) -> list[str]:
    names = list(indexes)
    invalid = [row[0] for row in await connection.fetch(_INVALID, names)]
    missing = [row[0] for row in await connection.fetch(_MISSING, names)]
    return sorted({*invalid, *missing})


async def _lock(connection: asyncpg.Connection) -> None:
    taken = "SELECT pg_try_advisory_lock(hashtextextended($1, 0))"
    while not await connection.fetchval(taken, LOCK):  # noqa: ASYNC110 - of another process
        await asyncio.sleep(POLL_SECONDS)
