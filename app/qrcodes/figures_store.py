"""SQL that reads the figures of a code by day."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.qrcodes.models import QrCodeDay


async def days(
    session: AsyncSession, qrcode_id: UUID, since: date, until: date
) -> Sequence[QrCodeDay]:
    """Return the days that have figures, the earliest first; both days are included."""
    found = await session.scalars(
        select(QrCodeDay)
        .where(QrCodeDay.qrcode_id == qrcode_id, QrCodeDay.day.between(since, until))
        .order_by(QrCodeDay.day)
    )
    return found.all()
