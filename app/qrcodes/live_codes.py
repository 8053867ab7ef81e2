"""A QR code as a web process knows it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.qrcodes.life import is_live
from app.qrcodes.models import QrCode


@dataclass(frozen=True, slots=True)
class LiveCode:
    """What a picture needs. url: None until WeChat has made the code."""

    url: str | None
    expires_at: datetime | None

    def url_at(self, now: datetime) -> str | None:
        """Return what the picture holds if it can be scanned."""
        return self.url if is_live(self.expires_at, now) else None


async def read_code(session: AsyncSession, slug: str) -> LiveCode | None:
    """Return the code of a slug; None if there is none."""
    row = (await session.execute(_COLUMNS.where(QrCode.slug == slug))).one_or_none()
    return None if row is None else LiveCode(*row)


_COLUMNS: Final = select(QrCode.url, QrCode.expires_at)
