"""What operators call followers in WeChat's console (备注): kept as WeChat told it last.

No push tells of a change. A remark is read with the UnionID, and by `followers sync`.
Source: protocol 8.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple, Self

from sqlalchemy import delete, select, text, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from app.identity.models import FollowerRemark
from app.wechat.api_responses import UserInfo
from app.wechat.ids import AccountOpenId

# WeChat takes less than 30 bytes; what is longer is cut.
MAX_CHARACTERS: Final = 64


class Remark(NamedTuple):
    """What WeChat says of one follower. text: empty if there is none."""

    text: str
    followed_at: datetime | None

    @classmethod
    def of(cls, info: UserInfo) -> Self | None:
        """Return it; None if WeChat does not say, as of people who do not follow."""
        return None if info.remark is None else cls(info.remark, info.subscribe_time)


async def record(session: AsyncSession, appid: str, remarks: Mapping[str, Remark]) -> None:
    """Store remarks by OpenID; an empty one deletes what is stored.

    The rows of `openids` are locked in the order of their keys, those whose remark is another one
    alone. Who has no row, or is erased and has not followed since, gets no remark: an erasure does
    not reach WeChat's console.
    """
    parameters = {
        "appid": appid,
        "openids": list(remarks),
        "remarks": [remark.text[:MAX_CHARACTERS] for remark in remarks.values()],
        "followed": [remark.followed_at for remark in remarks.values()],
    }
    await session.execute(_RECORD, parameters)


async def forget(session: AsyncSession, appid: str, openid: str) -> None:
    """Delete the remark of a person."""
    await session.execute(
        delete(FollowerRemark).where(FollowerRemark.appid == appid, FollowerRemark.openid == openid)
    )


async def of_people(
    session: AsyncSession, people: Collection[AccountOpenId]
) -> dict[AccountOpenId, str]:
    """Return the remarks of those of these people who have one."""
    key = tuple_(FollowerRemark.appid, FollowerRemark.openid)
    found = await session.scalars(select(FollowerRemark).where(key.in_(people)))
    return {(row.appid, row.openid): row.remark for row in found}


async def with_remark(
    session: AsyncSession, appids: Collection[str], remark: str, limit: int
) -> Sequence[AccountOpenId]:
    """Return the people whom operators call so, at most `limit`, by AppID and OpenID.

    Of one person whom several accounts call so, known by the UnionID, the first OpenID stands.
    """
    bound = {"appids": list(appids), "remark": remark, "limit": limit}
    return [(row.appid, row.openid) for row in await session.execute(_NAMESAKES, bound)]


_NAMESAKES: Final = text(
    """
    SELECT r.appid, r.openid FROM follower_remarks r JOIN openids o USING (appid, openid)
    WHERE r.remark = :remark AND r.appid = ANY(CAST(:appids AS text[])) AND NOT EXISTS (
        SELECT FROM openids other
        JOIN follower_remarks same ON same.appid = other.appid AND same.openid = other.openid
        WHERE other.unionid = o.unionid AND same.remark = r.remark
          AND other.appid = ANY(CAST(:appids AS text[]))
          AND (other.appid, other.openid) < (r.appid, r.openid)
    )
    ORDER BY r.appid, r.openid LIMIT :limit
    """
)

# Of one person either the row is deleted or another remark is stored.
_RECORD: Final = text(
    """
    WITH told AS (
        SELECT * FROM unnest(
            CAST(:openids AS text[]), CAST(:remarks AS text[]), CAST(:followed AS timestamptz[])
        ) AS told(openid, remark, followed_at)
    ), person AS (
        SELECT o.openid, told.remark FROM told
        JOIN openids o ON o.appid = :appid AND o.openid = told.openid
        LEFT JOIN follower_remarks r ON r.appid = o.appid AND r.openid = o.openid
        WHERE told.remark <> '' AND told.remark IS DISTINCT FROM r.remark
          AND (o.erased_until IS NULL OR told.followed_at > o.erased_until)
        ORDER BY o.openid FOR NO KEY UPDATE OF o
    ), forgotten AS (
        DELETE FROM follower_remarks r USING told
        WHERE r.appid = :appid AND r.openid = told.openid AND told.remark = ''
    )
    INSERT INTO follower_remarks AS r (appid, openid, remark)
    SELECT :appid, openid, remark FROM person
    ON CONFLICT (appid, openid) DO UPDATE SET remark = EXCLUDED.remark
    """
)
