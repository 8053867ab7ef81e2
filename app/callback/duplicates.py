"""Copies of callbacks that are stored already: they get the passive reply of the first copy."""

from collections.abc import Sequence
from uuid import UUID

import asyncpg

from app.callback.record import Record, StoredResult

_FIRST_COPIES = """
SELECT c.id, c.appid, c.dedupe_key, c.passive::text AS passive
FROM unnest($1::text[], $2::bytea[]) AS k(appid, dedupe_key)
JOIN callbacks c USING (appid, dedupe_key)
"""


async def results(
    connection: asyncpg.Connection, batch: Sequence[Record], fresh: frozenset[UUID]
) -> list[StoredResult]:
    """Return the result of each record. fresh: ids of those that were stored just now.

    Asks the database only when the batch holds a copy.
    """
    copies = [record for record in batch if record.id not in fresh]
    if not copies:
        return [StoredResult(record.passive) for record in batch]
    rows = await connection.fetch(
        _FIRST_COPIES, [copy.appid for copy in copies], [copy.dedupe_key for copy in copies]
    )
    first = {
        (row["appid"], row["dedupe_key"]): StoredResult(
            row["passive"], duplicate=True, first_id=row["id"]
        )
        for row in rows
    }
    return [
        StoredResult(record.passive)
        if record.id in fresh
        else first.get((record.appid, record.dedupe_key), StoredResult(None, duplicate=True))
        for record in batch
    ]
