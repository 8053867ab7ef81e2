"""SQL that finds the followers that match a filter.

They are read in the order of OpenIDs, and each statement reads a bounded number of rows, however
few of them match.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.tags.schemas import TagFilter

READ_AT_ONCE: Final = 5000


@dataclass(frozen=True, slots=True)
class Found:
    """The next people of a filter. cursor: up to which OpenID was looked; None: nobody is left."""

    openids: Sequence[str]
    cursor: str | None


async def count(session: AsyncSession, appid: str, wanted: TagFilter) -> int:
    """Return how many followers match."""
    await session.execute(_FOR_COUNTING)
    statement = f"SELECT count(*) FROM ({_FOLLOWING}) f {_narrowed(wanted)}"  # noqa: S608 - of this module
    found = await session.execute(text(statement), {"appid": appid, **_values(wanted)})
    return int(found.scalar_one())


async def next_people(
    session: AsyncSession, appid: str, wanted: TagFilter, after: str, limit: int
) -> Found:
    """Return up to `limit` followers that match, after an OpenID, in ascending order."""
    bounds = {"appid": appid, "after": after, "read": READ_AT_ONCE}
    statement = (
        f"SELECT f.openid FROM ({_SOME}) f {_narrowed(wanted)} ORDER BY f.openid LIMIT :limit"  # noqa: S608 - of this module
    )
    found = await session.scalars(text(statement), {**bounds, **_values(wanted), "limit": limit})
    openids = found.all()
    if len(openids) == limit:
        return Found(openids, openids[-1])
    return Found(openids, await session.scalar(_LAST, bounds))


def _values(wanted: TagFilter) -> dict[str, Any]:
    return {name: value for name, value in wanted.model_dump().items() if value is not None}


def _narrowed(wanted: TagFilter) -> str:
    """Return the joins and conditions of a filter."""
    joins, conditions = "", list[str]()
    if wanted.seen_since is not None or wanted.seen_before is not None:
        joins = "JOIN openids o ON o.appid = :appid AND o.openid = f.openid"
    if wanted.scene is not None:
        conditions.append("f.scene = :scene")
    if wanted.how is not None:
        conditions.append("f.how = :how")
    if wanted.seen_since is not None:
        conditions.append("o.last_seen_at >= :seen_since")
    if wanted.seen_before is not None:
        conditions.append("o.last_seen_at < :seen_before")
    if wanted.tag_id is not None:
        conditions.append(_HAS_TAG)
    return joins + (" WHERE " + " AND ".join(conditions) if conditions else "")


# Erased followers are counted further under a pseudonym, which is nobody to tag.
_FOLLOWING: Final = """
    SELECT openid, scene, how FROM followers
    WHERE appid = :appid AND following AND NOT starts_with(openid, 'erased:')
"""
_SOME: Final = f"{_FOLLOWING} AND openid > :after ORDER BY openid LIMIT :read"
_HAS_TAG: Final = """EXISTS (
    SELECT FROM follower_tags t
    WHERE t.appid = :appid AND t.openid = f.openid AND t.tag_id = :tag_id
)"""

_LAST: Final = text(
    f"SELECT CASE WHEN count(*) = :read THEN max(openid) END FROM ({_SOME}) f"  # noqa: S608 - of this module
)

_FOR_COUNTING: Final = text(
    "SELECT set_config('jit', 'off', true), set_config('work_mem', '128MB', true)"
)
