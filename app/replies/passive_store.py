"""SQL of passive replies that went with the response: their callback's row is the only one.

A reply of which `replies` has a row is not among them: those of older versions, and passive replies
that were not sent.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.replies.models import Reply, ReplyStatus, Via


async def page(
    session: AsyncSession,
    *,
    before: UUID | None,
    limit: int,
    appid: str | None = None,
    openid: str | None = None,
) -> Sequence[Reply]:
    """Return passive replies by id, the newest first. before: last id of the page before."""
    columns = {"appid": appid, "openid": openid}
    values: dict[str, object] = {k: v for k, v in columns.items() if v is not None}
    where = [f"{name} = :{name}" for name in values]
    if before is not None:
        where.append("passive_id < :before")
        values["before"] = before
    statement = " AND ".join([_PASSIVE, *where]) + " ORDER BY passive_id DESC LIMIT :limit"
    found = await session.execute(text(statement), values | {"limit": limit})
    return [_reply(row) for row in found]


async def of_id(session: AsyncSession, reply_id: UUID) -> Reply | None:
    """Return one passive reply; None if there is none, or if `replies` has it."""
    row = (await session.execute(_ONE, {"id": reply_id})).first()
    return None if row is None else _reply(row)


async def of_callback(session: AsyncSession, callback_id: UUID) -> Reply | None:
    """Return the passive reply to one push; None if there is none, or if `replies` has it."""
    row = (await session.execute(_OF_CALLBACK, {"id": callback_id})).first()
    return None if row is None else _reply(row)


async def count(session: AsyncSession, bound: Mapping[str, object]) -> int:
    """Count those of ids from `first` to before `beyond`, `most` at most."""
    return int((await session.execute(_COUNT, bound)).scalar_one())


async def count_by_minute(
    session: AsyncSession, bound: Mapping[str, object]
) -> Mapping[datetime, int]:
    """Count those of ids from `first` on by minute, the newest `most` at most."""
    return {row[0]: row[1] for row in await session.execute(_BY_MINUTE, bound)}


def _reply(row: Row[Any]) -> Reply:
    return Reply(
        id=row.passive_id,
        callback_id=row.id,
        position=row.passive_id.int >> 64 & 0xFFF,  # as `rules.matching.reply_id` sets it
        appid=row.appid,
        openid=row.openid,
        rule_id=row.rule_id,
        via=Via.PASSIVE,
        msgtype=row.msgtype,
        content=row.content,
        status=ReplyStatus.SENT,
        attempts=0,
        uncertain_attempts=0,
        created_at=row.received_at,
        sent_at=row.received_at,
    )


_PASSIVE: Final = """
SELECT passive_id, id, appid, openid, COALESCE(passive_rule_id, rule_id) AS rule_id,
       passive_msgtype AS msgtype, COALESCE(passive, '{}') AS content, received_at
FROM callbacks WHERE passive_id IS NOT NULL
"""

_ONE: Final = text(f"{_PASSIVE} AND passive_id = :id")
_OF_CALLBACK: Final = text(f"{_PASSIVE} AND id = :id")

_COUNT: Final = text("""
SELECT count(*) FROM (
    SELECT FROM callbacks WHERE passive_id >= :first AND passive_id < :beyond
    ORDER BY passive_id LIMIT :most
) AS made
""")

_BY_MINUTE: Final = text("""
SELECT date_trunc('minute', received_at), count(*) FROM (
    SELECT received_at FROM callbacks WHERE passive_id >= :first
    ORDER BY passive_id DESC LIMIT :most
) AS made GROUP BY 1
""")
