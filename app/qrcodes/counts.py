"""How many codes an account has, and has ever made. Source: protocol 9.5; linkage 4.

Permanent codes never come back into WeChat's 100,000. So one counts from when it is added, before
WeChat is asked, and is given back only if WeChat was never asked for it. Whether WeChat counts a
repeated call for one scene again is not documented; it is counted once here.
"""

from collections.abc import Mapping
from typing import Final

import structlog
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.qrcodes.errors import TooManyCodes
from app.qrcodes.models import QrCodeCount, QrKind

# A temporary code is renewed every three weeks: these take a tenth of WeChat's 100,000 calls a day.
LIMITS: Final[Mapping[QrKind, int]] = {QrKind.PERMANENT: 100_000, QrKind.TEMPORARY: 200_000}
WARNED_AT: Final = 0.8

# Who comes second waits for the row, and then sees what the first took.
_TAKE: Final = text("""
INSERT INTO qrcode_counts AS c (appid, kind, count) VALUES (:appid, :kind, :number)
ON CONFLICT (appid, kind) DO UPDATE SET count = c.count + excluded.count
RETURNING count
""")
_GIVE_BACK: Final = text("""
UPDATE qrcode_counts SET count = count - 1 WHERE appid = :appid AND kind = :kind
""")

log = structlog.get_logger()


async def take(session: AsyncSession, appid: str, kind: QrKind, number: int) -> None:
    """Count `number` new codes. Raises TooManyCodes."""
    values = {"appid": appid, "kind": kind.value, "number": number}
    count = int((await session.execute(_TAKE, values)).scalar_one())
    if count > LIMITS[kind]:
        raise TooManyCodes(kind.value, LIMITS[kind])
    if kind is QrKind.PERMANENT and is_warned(count):
        log.warning("qrcodes.permanent_scarce", appid=appid, count=count, limit=LIMITS[kind])


async def lock(session: AsyncSession, appid: str, kind: QrKind) -> None:
    """Lock the number, which is locked before a code, as `take` does."""
    await session.scalar(
        select(QrCodeCount.count)
        .where(QrCodeCount.appid == appid, QrCodeCount.kind == kind)
        .with_for_update()
    )


async def give_back(session: AsyncSession, appid: str, kind: QrKind) -> None:
    """Count one code less."""
    await session.execute(_GIVE_BACK, {"appid": appid, "kind": kind.value})


async def permanent(session: AsyncSession) -> Mapping[str, int]:
    """Return how many permanent codes each account has ever made, by AppID."""
    found = await session.scalars(
        select(QrCodeCount).where(QrCodeCount.kind == QrKind.PERMANENT).order_by(QrCodeCount.appid)
    )
    return {row.appid: row.count for row in found}


def is_warned(count: int) -> bool:
    """Return whether so many permanent codes are a reason to warn."""
    return count >= LIMITS[QrKind.PERMANENT] * WARNED_AT
