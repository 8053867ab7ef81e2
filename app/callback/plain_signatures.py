"""In plain mode a signature serves one push: it covers the query and nothing of the body.

Somebody who has seen one signed query could otherwise send any body with it, as long as the replay
window lasts. So each signature is noted with the push that it came with, for all processes, in the
transaction of the inbox. WeChat's retries are the same push, and are not touched by it.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Final
from uuid import UUID

import asyncpg
from sqlalchemy import text

from app.callback.record import Record
from app.clock import Clock
from app.db.engine import SessionFactory
from app.wechat.inbound.dedupe import digest_of

# Longer than any replay window that makes sense; without a window a signature is refused this long.
KEPT_FOR: Final = timedelta(days=1)

SWEEP_LIMIT: Final = 10_000

_CLAIM: Final = """
INSERT INTO plain_signatures AS s (appid, signature, dedupe_key, expires_at)
SELECT DISTINCT ON (appid, signature) *
FROM unnest($1::text[], $2::bytea[], $3::bytea[], $4::timestamptz[])
     AS c(appid, signature, dedupe_key, expires_at)
ORDER BY appid, signature, dedupe_key
ON CONFLICT (appid, signature) DO UPDATE SET dedupe_key = s.dedupe_key
RETURNING appid, signature, dedupe_key
"""

_EXPIRED: Final = text(
    """
    DELETE FROM plain_signatures WHERE ctid = ANY(ARRAY(
        SELECT ctid FROM plain_signatures WHERE expires_at <= :now
        ORDER BY expires_at LIMIT :limit FOR UPDATE SKIP LOCKED
    ))
    """
)


async def claim(connection: asyncpg.Connection, batch: Sequence[Record]) -> frozenset[UUID]:
    """Note the signatures of a batch; return the records whose signature served another push.

    Runs in the caller's transaction, and sends no statement for accounts that encrypt.
    """
    signed = [record for record in batch if record.signature is not None]
    if not signed:
        return frozenset()
    rows = await connection.fetch(
        _CLAIM,
        [record.appid for record in signed],
        [record.signature for record in signed],
        # As earlier versions note a push, which must know it again.
        [digest_of(record.dedupe_key) for record in signed],
        [record.received_at + KEPT_FOR for record in signed],
    )
    served: Mapping[tuple[str, bytes], bytes] = {
        (row["appid"], row["signature"]): row["dedupe_key"] for row in rows
    }
    return frozenset(
        record.id
        for record in signed
        if digest_of(served[record.appid, record.signature or b""]) != digest_of(record.dedupe_key)
    )


async def sweep(sessions: SessionFactory, clock: Clock) -> None:
    """Delete signatures that are too old to be used again, some thousands a run."""
    async with sessions.begin() as session:
        await session.execute(_EXPIRED, {"now": clock.now(), "limit": SWEEP_LIMIT})
