"""Looks up who has a code of a pool, and how long its codes are."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

# So many codes that are given next, and as many that are given, are compared.
MAX_COMPARED: Final = 10_000


async def longest_code(session: AsyncSession, campaign_id: UUID) -> str | None:
    """Return the longest of the codes that are given next, and of some that are given."""
    found: str | None = await session.scalar(
        _LONGEST, {"campaign_id": campaign_id, "most": MAX_COMPARED}
    )
    return found


async def count_without(
    session: AsyncSession, campaign_id: UUID, appid: str, openids: Sequence[str]
) -> int:
    """Return how many of these people have no code, of those that are known at the account."""
    found = await session.scalar(
        _WITHOUT, {"campaign_id": campaign_id, "appid": appid, "openids": list(openids)}
    )
    return int(found or 0)


def has_code(person: str) -> str:
    """Return the SQL condition that a row of `openids` has a code of :campaign_id."""
    return f"""(
        EXISTS (
            SELECT FROM campaign_codes k
            WHERE k.openid = {person}.openid AND k.appid = {person}.appid
              AND k.campaign_id = :campaign_id AND k.openid IS NOT NULL AND k.void_at IS NULL
        ) OR EXISTS (
            SELECT FROM campaign_codes k
            WHERE k.unionid = {person}.unionid AND k.campaign_id = :campaign_id
              AND k.unionid IS NOT NULL AND k.void_at IS NULL
        )
    )"""  # noqa: S608 - the alias of a caller


_LONGEST: Final = text("""
SELECT code FROM (
    (SELECT code FROM campaign_codes
     WHERE campaign_id = :campaign_id AND given_at IS NULL ORDER BY number LIMIT :most)
    UNION ALL
    (SELECT code FROM campaign_codes
     WHERE campaign_id = :campaign_id AND given_at IS NOT NULL AND void_at IS NULL
     ORDER BY given_at DESC LIMIT :most)
) AS compared
ORDER BY length(code) DESC, code LIMIT 1
""")

_WITHOUT: Final = text(f"""
SELECT count(*) FROM openids o
WHERE o.appid = :appid AND o.openid = ANY(CAST(:openids AS text[])) AND NOT {has_code("o")}
""")  # noqa: S608 - constants of this module
