"""Lets a person keep one code of each pool when a UnionID shows that two OpenIDs are one person.

Until then nobody could know, and each OpenID may have got a code. The one that is redeemed stays,
otherwise the one that was given first; the others are void.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from app.wechat.ids import AccountOpenId

MAX_TRIES: Final = 5


class OwnedCode(NamedTuple):
    """A code that somebody has."""

    campaign_id: UUID
    code: str
    given_at: datetime
    redeemed_at: datetime | None

    @property
    def rank(self) -> tuple[bool, datetime, str]:
        """Return its place: the lowest one stays."""
        return self.redeemed_at is None, self.given_at, self.code


async def merge_codes(
    session: AsyncSession, known: Sequence[tuple[str, str, str]], now: datetime
) -> None:
    """Write UnionIDs to the codes of their OpenIDs; of two codes of one person one becomes void.

    known: AppID, OpenID and UnionID. The caller's transaction has changed the rows in `openids`.
    """
    unionids: dict[AccountOpenId, str] = {
        (appid, openid): unionid for appid, openid, unionid in known
    }
    for attempt in range(MAX_TRIES):
        try:
            async with session.begin_nested():
                await _merge(session, unionids, now)
        except IntegrityError:
            # Somebody has just got a code by the same UnionID, which the next look finds.
            if attempt == MAX_TRIES - 1:
                raise
        else:
            return


def kept_codes(codes: Iterable[OwnedCode]) -> tuple[OwnedCode, list[OwnedCode]]:
    """Return the code that a person keeps of a pool, and those that become void."""
    best, *others = sorted(codes, key=lambda code: code.rank)
    return best, others


async def _merge(session: AsyncSession, unionids: dict[AccountOpenId, str], now: datetime) -> None:
    parameters: dict[str, Any] = {
        "appids": [appid for appid, _ in unionids],
        "openids": [openid for _, openid in unionids],
        "unionids": list(unionids.values()),
    }
    found = (await session.execute(_OF_PEOPLE, parameters)).all()
    if not found:
        return
    owned: dict[tuple[UUID, str], list[OwnedCode]] = defaultdict(list)
    for row in found:
        unionid = unionids.get((row.appid, row.openid), row.unionid)
        code = OwnedCode(row.campaign_id, row.code, row.given_at, row.redeemed_at)
        owned[row.campaign_id, unionid].append(code)
    kept: list[tuple[OwnedCode, str]] = []
    void: list[OwnedCode] = []
    for (_, unionid), codes in owned.items():
        best, others = kept_codes(codes)
        kept.append((best, unionid))
        void += others
    # First, since the unique index allows a UnionID one code that is not void.
    if void:
        await session.execute(_VOID, {**_keys_of(void), "now": now})
    await session.execute(
        _NAME,
        {
            **_keys_of(code for code, _ in kept),
            "unionids": [unionid for _, unionid in kept],
        },
    )


def _keys_of(codes: Iterable[OwnedCode]) -> dict[str, list[Any]]:
    keys = [(code.campaign_id, code.code) for code in codes]
    return {
        "campaign_ids": [campaign_id for campaign_id, _ in keys],
        "codes": [code for _, code in keys],
    }


# The codes of these OpenIDs, if their UnionID is new, and those that the UnionIDs have in the same
# pools. Most calls find none, by one look into an index.
_OF_PEOPLE: Final = text("""
WITH named AS (
    SELECT * FROM unnest(
        CAST(:appids AS text[]), CAST(:openids AS text[]), CAST(:unionids AS text[])
    ) AS named (appid, openid, unionid)
), news AS (
    SELECT c.campaign_id, c.code, named.unionid
    FROM named JOIN campaign_codes c ON c.openid = named.openid AND c.appid = named.appid
    WHERE c.openid IS NOT NULL AND c.void_at IS NULL
      AND c.unionid IS DISTINCT FROM named.unionid
)
SELECT campaign_id, code, appid, openid, unionid, given_at, redeemed_at
FROM campaign_codes
WHERE (campaign_id, code) IN (
    SELECT campaign_id, code FROM news
    UNION
    SELECT c.campaign_id, c.code
    FROM news JOIN campaign_codes c ON c.unionid = news.unionid AND c.campaign_id = news.campaign_id
    WHERE c.unionid IS NOT NULL AND c.void_at IS NULL
)
ORDER BY campaign_id, code FOR UPDATE
""")

_VOID: Final = text("""
UPDATE campaign_codes c SET void_at = :now, appid = NULL, openid = NULL, unionid = NULL
FROM unnest(CAST(:campaign_ids AS uuid[]), CAST(:codes AS text[])) AS n (campaign_id, code)
WHERE c.campaign_id = n.campaign_id AND c.code = n.code
""")

_NAME: Final = text("""
UPDATE campaign_codes c SET unionid = n.unionid
FROM unnest(
    CAST(:campaign_ids AS uuid[]), CAST(:codes AS text[]), CAST(:unionids AS text[])
) AS n (campaign_id, code, unionid)
WHERE c.campaign_id = n.campaign_id AND c.code = n.code AND c.unionid IS DISTINCT FROM n.unionid
""")
