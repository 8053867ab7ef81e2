"""SQL that opens erasures in the caller's transaction: the row and its job are added together."""

from collections.abc import Sequence

import asyncpg
import orjson
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.queue import enqueue_on, raw_connection
from app.privacy.jobs import erase_job
from app.privacy.policy import NewErasure

_INSERT = """
INSERT INTO erasures (id, trigger, detail, appid, requested_by, requested_at, until, subject,
                      scope)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8::text::jsonb, $9)
"""


async def open_on(connection: asyncpg.Connection, erasures: Sequence[NewErasure]) -> None:
    """Open erasures on a connection that is in a transaction."""
    if not erasures:
        return
    await connection.executemany(_INSERT, [_row(erasure) for erasure in erasures])
    await enqueue_on(connection, [erase_job(erasure.id) for erasure in erasures])


async def open_erasure(session: AsyncSession, erasure: NewErasure) -> None:
    """Open one erasure in the session's transaction."""
    await open_on(await raw_connection(session), [erasure])


def _row(erasure: NewErasure) -> tuple[object, ...]:
    subject = {"people": erasure.duty.people, "unionids": erasure.duty.unionids}
    return (
        erasure.id,
        erasure.duty.trigger.value,
        erasure.duty.detail,
        erasure.appid,
        erasure.requested_by,
        erasure.requested_at,
        erasure.until,
        orjson.dumps(subject).decode(),
        erasure.scope and erasure.scope.value,
    )
