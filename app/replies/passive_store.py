"""SQL of passive replies that went with the response: their callback's row is the only one.

A reply of which `replies` has a row is not among them: those of older versions, and passive replies
that were not sent.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.replies.models import Reply, ReplyStatus, Via


@dataclass(frozen=True, slots=True)
class Filters:
    """Which passive replies; None: any. since, until: of the arrival; until is not included."""

    appid: str | None = None
    openid: str | None = None
    rule_id: int | None = None
    msgtype: str | None = None
    since: datetime | None = None
    until: datetime | None = None


async def page(
    session: AsyncSession, *, upper: UUID, lower: UUID, limit: int, filters: Filters
) -> Sequence[Reply]:
    """Return passive replies with ids from `lower` to before `upper`, the newest first."""
    values = {name: value for name, value in asdict(filters).items() if value is not None}
    where = [_CONDITIONS[name] for name in values]
    statement = " AND ".join([_PASSIVE, _IN_RANGE, *where])
    found = await session.execute(
        text(f"{statement} ORDER BY passive_id DESC LIMIT :limit"),
        values | {"upper": upper, "lower": lower, "limit": limit},
    )
    return [_reply(row) for row in found]


async def search_bound(session: AsyncSession, beyond: Mapping[str, object]) -> UUID | None:
    """Return the id of the passive reply that lies `offset` below `upper`, if there is one."""
    bound: UUID | None = await session.scalar(_BOUND, beyond)
    return bound


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

_IN_RANGE: Final = "passive_id < :upper AND passive_id >= :lower"

_CONDITIONS: Final = {
    "appid": "appid = :appid",
    "openid": "openid = :openid",
    "rule_id": "COALESCE(passive_rule_id, rule_id) = :rule_id",
    "msgtype": "passive_msgtype = :msgtype",
    "since": "received_at >= :since",
    "until": "received_at < :until",
}

_BOUND: Final = text("""
SELECT passive_id FROM callbacks WHERE passive_id < :upper
ORDER BY passive_id DESC OFFSET :offset LIMIT 1
""")

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
