"""SQL of what receivers are told: finds what is due, and records what was sent."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, case, exists, func, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from app.alarms.kinds import AlarmKind
from app.alarms.message import Item
from app.alarms.models import Alarm, AlarmDelivery, AlarmReceiver, Stage

# An alarm that lasts is repeated so often.
REPEATED_AFTER: Final = timedelta(days=1)
# What was over before a receiver took messages again is told for so long.
ENDED_TOLD_FOR: Final = timedelta(days=1)
MAX_DUE: Final = 50
# A message whose worker died is sent once more, and then taken for sent.
MAX_TRIES: Final = 2
# Longer than any attempt. When a worker dies, another one takes over after this time.
LEASE: Final = timedelta(seconds=60)

Due = tuple[Alarm, AlarmDelivery | None]


async def receivers_with_due(session: AsyncSession, now: datetime) -> Sequence[UUID]:
    """Return the receivers who are to be told something now."""
    found = await session.scalars(
        select(AlarmReceiver.id)
        .where(_may_send(now), exists(_due(AlarmReceiver.id, AlarmReceiver.created_at, now)))
        .order_by(AlarmReceiver.id)
    )
    return found.all()


async def claim(
    session: AsyncSession, receiver_id: UUID, run: UUID, now: datetime
) -> AlarmReceiver | None:
    """Return the receiver with its row locked and leased to this run; None if it is not to be told.

    Only one run at a time tells a receiver, whichever worker it is in.
    """
    receiver = await session.scalar(
        select(AlarmReceiver)
        .where(AlarmReceiver.id == receiver_id, _may_send(now))
        .with_for_update()
    )
    if receiver is not None:
        receiver.lease = run
        receiver.leased_until = now + LEASE
    return receiver


async def due(session: AsyncSession, receiver: AlarmReceiver, now: datetime) -> Sequence[Due]:
    """Return what to tell a receiver, the oldest alarm first, MAX_DUE at most."""
    found = await session.execute(
        _due(receiver.id, receiver.created_at, now)
        .add_columns(AlarmDelivery)
        .order_by(Alarm.began_at, Alarm.id)
        .limit(MAX_DUE)
    )
    return [(alarm, delivery) for alarm, delivery in found]


async def begin(session: AsyncSession, receiver_id: UUID, items: Sequence[Item]) -> None:
    """Note what the message says that is about to be sent."""
    if not items:
        return
    statement = insert(AlarmDelivery).values(
        [
            {
                "receiver_id": receiver_id,
                "alarm_id": item.alarm.id,
                "sending": item.stage.value,
                "tries": 1,
                "maybe_sent": item.maybe_sent,
            }
            for item in items
        ]
    )
    await session.execute(
        statement.on_conflict_do_update(
            index_elements=["receiver_id", "alarm_id"],
            set_={
                "sending": statement.excluded.sending,
                "tries": case(
                    (AlarmDelivery.sending == statement.excluded.sending, AlarmDelivery.tries + 1),
                    else_=1,
                ),
                "maybe_sent": statement.excluded.maybe_sent,
            },
        )
    )


async def told(
    session: AsyncSession, receiver_id: UUID, items: Sequence[Item], now: datetime
) -> None:
    """Note that a receiver was told these."""
    for item, delivery in await _deliveries(session, receiver_id, items):
        delivery.maybe_sent = False
        if item.stage is Stage.ENDED:
            delivery.ended_told_at = now
        else:
            delivery.told_at = now


async def not_told(
    session: AsyncSession, receiver_id: UUID, items: Sequence[Item], *, uncertain: bool
) -> None:
    """Note that a receiver has not taken these; uncertain: as far as is known."""
    for item, delivery in await _deliveries(session, receiver_id, items):
        delivery.maybe_sent = item.maybe_sent or uncertain


async def _deliveries(
    session: AsyncSession, receiver_id: UUID, items: Sequence[Item]
) -> list[tuple[Item, AlarmDelivery]]:
    """Return the rows of these items, which are being sent no more."""
    rows = await session.scalars(
        select(AlarmDelivery)
        .where(
            AlarmDelivery.receiver_id == receiver_id,
            AlarmDelivery.alarm_id.in_([item.alarm.id for item in items]),
        )
        .with_for_update()
    )
    found = {row.alarm_id: row for row in rows}
    for row in found.values():
        row.sending, row.tries = None, 0
    # Those of alarms that were deleted meanwhile are missing.
    return [(item, found[item.alarm.id]) for item in items if item.alarm.id in found]


def _due(
    receiver_id: UUID | InstrumentedAttribute[UUID],
    since: datetime | InstrumentedAttribute[datetime],
    now: datetime,
) -> Select[Alarm]:
    lasts = and_(
        Alarm.ended_at.is_(None),
        or_(AlarmDelivery.told_at.is_(None), AlarmDelivery.told_at <= now - REPEATED_AFTER),
    )
    over = and_(
        Alarm.ended_at > func.greatest(now - ENDED_TOLD_FOR, since),
        AlarmDelivery.ended_told_at.is_(None),
    )
    return (
        select(Alarm)
        .outerjoin(
            AlarmDelivery,
            and_(AlarmDelivery.alarm_id == Alarm.id, AlarmDelivery.receiver_id == receiver_id),
        )
        # A later release may know further kinds, for which there are no words here.
        .where(Alarm.kind.in_([kind.value for kind in AlarmKind]), or_(lasts, over))
    )


def _may_send(now: datetime) -> ColumnElement[bool]:
    return and_(
        AlarmReceiver.enabled,
        or_(AlarmReceiver.next_at.is_(None), AlarmReceiver.next_at <= now),
        or_(AlarmReceiver.leased_until.is_(None), AlarmReceiver.leased_until <= now),
    )
