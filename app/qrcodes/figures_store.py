"""SQL that reads and adds to the figures of codes by day."""

from collections.abc import Sequence
from datetime import date
from typing import Any, Final
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.qrcodes.models import QrCode, QrCodeDay

_COLUMNS: Final = ("scans", "new_follows", "refollows", "left_in_day", "left_in_week", "cards")
_GIVEN: Final = """
    SELECT * FROM unnest(
        CAST(:ids AS uuid[]), CAST(:days AS date[]), CAST(:scans AS bigint[]),
        CAST(:new_follows AS bigint[]), CAST(:refollows AS bigint[]),
        CAST(:left_in_day AS bigint[]), CAST(:left_in_week AS bigint[]), CAST(:cards AS bigint[])
    ) AS g(id, day, scans, new_follows, refollows, left_in_day, left_in_week, cards)
"""
_ADD_DAYS: Final = text(f"""
INSERT INTO qrcode_days AS d (qrcode_id, day, scans, new_follows, refollows, left_in_day,
                              left_in_week, cards)
{_GIVEN}
ON CONFLICT (qrcode_id, day) DO UPDATE SET
    scans = d.scans + excluded.scans,
    new_follows = d.new_follows + excluded.new_follows,
    refollows = d.refollows + excluded.refollows,
    left_in_day = d.left_in_day + excluded.left_in_day,
    left_in_week = d.left_in_week + excluded.left_in_week,
    cards = d.cards + excluded.cards
""")
_ADD_TOTALS: Final = text(f"""
UPDATE qrcodes q SET
    scans = q.scans + t.scans,
    new_follows = q.new_follows + t.new_follows,
    refollows = q.refollows + t.refollows,
    left_in_day = q.left_in_day + t.left_in_day,
    left_in_week = q.left_in_week + t.left_in_week,
    cards = q.cards + t.cards
FROM (
    SELECT id, sum(scans) AS scans, sum(new_follows) AS new_follows, sum(refollows) AS refollows,
           sum(left_in_day) AS left_in_day, sum(left_in_week) AS left_in_week, sum(cards) AS cards
    FROM ({_GIVEN}) AS given GROUP BY id
) AS t WHERE q.id = t.id
""")  # noqa: S608 - constants of this module


async def add(session: AsyncSession, rows: Sequence[Sequence[Any]]) -> None:
    """Add to the figures. rows: code, day, then the figures as `count_events` selects them."""
    if not rows:
        return
    # Locked in one order; the days of a code are changed only with it locked. A code that was
    # deleted meanwhile has no figures any more.
    wanted = select(QrCode.id).where(QrCode.id.in_({row[0] for row in rows}))
    ordered = wanted.order_by(QrCode.id).with_for_update()
    known = set((await session.scalars(ordered)).all())
    kept = [row for row in rows if row[0] in known]
    columns = [list(column) for column in zip(*kept, strict=True)] if kept else [[]] * 8
    given = dict(zip(("ids", "days", *_COLUMNS), columns, strict=True))
    await session.execute(_ADD_DAYS, given)
    await session.execute(_ADD_TOTALS, given)


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
