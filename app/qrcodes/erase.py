"""Counts what a person did by QR codes, before an erasure clears the scenes of it.

The figures hold no person. See `count_events` for why nothing counts twice.
"""

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.qrcodes import figures_store
from app.qrcodes.count import CURSOR
from app.qrcodes.count_events import PERSON
from app.qrcodes.models import QrCode, QrCodeCursor
from app.tombstones.subject import ErasureSubject


async def count_before_erasure(session: AsyncSession, person: ErasureSubject) -> None:
    """Count what is not counted yet, in the transaction that clears the scenes.

    The row of the cursor stays locked until then, so that the schedule does not pass meanwhile.
    """
    cursor = await session.scalar(
        select(QrCodeCursor).where(QrCodeCursor.id == CURSOR).with_for_update(read=True)
    )
    first = await session.scalar(select(func.min(QrCode.created_at)))
    if cursor is None or first is None:
        return
    found = await session.execute(
        PERSON,
        {
            "appid": person.appid,
            "openid": person.openid,
            "until": person.until,
            "after": cursor.position,
            "cards_after": cursor.cards_until or first,
        },
    )
    await figures_store.add(session, found.all())
