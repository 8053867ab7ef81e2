"""Reads what rules have answered: how often, and the last pushes with their contents."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.callback.models import Callback
from app.first_id import first_id

MAX_COUNTED: Final = 1000

# Each rule reads at most MAX_COUNTED entries of `ix_callbacks_rule`. The ids are UUIDv7, so that
# they begin with the time of arrival in milliseconds.
_HITS: Final = text("""
SELECT wanted.id, recent.count, last.received_at
FROM unnest(CAST(:ids AS bigint[])) AS wanted (id)
CROSS JOIN LATERAL (
    SELECT count(*) AS count FROM (
        SELECT FROM callbacks WHERE rule_id = wanted.id AND callbacks.id >= :since LIMIT :most
    ) AS counted
) AS recent
LEFT JOIN LATERAL (
    SELECT received_at FROM callbacks WHERE rule_id = wanted.id
    ORDER BY callbacks.id DESC LIMIT 1
) AS last ON true
""")


@dataclass(frozen=True, slots=True)
class Hits:
    """How often a rule has answered since a moment, MAX_COUNTED at most, and when last."""

    count: int
    last_at: datetime | None


class StoredPush(NamedTuple):
    """A push with its content. payload: as it came."""

    id: UUID
    appid: str
    openid: str
    received_at: datetime
    payload: dict[str, Any]
    rule_id: int | None


async def hits_of(
    session: AsyncSession, rule_ids: Sequence[int], since: datetime
) -> Mapping[int, Hits]:
    """Return the hits of each rule."""
    bound = {"ids": list(rule_ids), "since": first_id(since), "most": MAX_COUNTED}
    rows = await session.execute(_HITS, bound)
    return {rule_id: Hits(count, last_at) for rule_id, count, last_at in rows}


async def latest(
    session: AsyncSession, limit: int, appid: str | None = None
) -> Sequence[StoredPush]:
    """Return the last pushes whose content is still stored, the newest first.

    appid: only those to this account.
    """
    query = (
        select(
            Callback.id,
            Callback.appid,
            Callback.openid,
            Callback.received_at,
            Callback.payload,
            Callback.rule_id,
        )
        .where(text("payload <> '{}'::jsonb"))
        .order_by(Callback.received_at.desc())
        .limit(limit)
    )
    if appid is not None:
        query = query.where(Callback.appid == appid)
    return [StoredPush(*row) for row in await session.execute(query)]
