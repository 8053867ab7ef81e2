"""SQL that reads the events for webhooks from three tables in the order of arrival."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias
from uuid import UUID

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.events.models import FollowAction, FollowEvent, SubscriptionAction, SubscriptionEvent
from app.tombstones.subject import PREFIX
from app.webhooks.event_types import EventType
from app.webhooks.models import IdentityAction, IdentityEvent

Table: TypeAlias = type[FollowEvent] | type[SubscriptionEvent] | type[IdentityEvent]

SOURCES: Mapping[EventType, tuple[Table, StrEnum]] = {
    EventType.FOLLOW_CREATED: (FollowEvent, FollowAction.FOLLOW),
    EventType.FOLLOW_DELETED: (FollowEvent, FollowAction.UNFOLLOW),
    EventType.SCAN_CREATED: (FollowEvent, FollowAction.SCAN),
    EventType.SUBSCRIPTION_POPUP: (SubscriptionEvent, SubscriptionAction.POPUP),
    EventType.SUBSCRIPTION_CHANGE: (SubscriptionEvent, SubscriptionAction.CHANGE),
    EventType.SUBSCRIPTION_SENT: (SubscriptionEvent, SubscriptionAction.SENT),
    EventType.IDENTITY_RESOLVED: (IdentityEvent, IdentityAction.RESOLVED),
    EventType.IDENTITY_CHANGED: (IdentityEvent, IdentityAction.CHANGED),
    EventType.IDENTITY_ERASED: (IdentityEvent, IdentityAction.ERASED),
}
_TYPES = {source: kind for kind, source in SOURCES.items()}


@dataclass(frozen=True, slots=True)
class SourceEvent:
    """An event by its id and its position in the order of arrival."""

    id: UUID
    type: EventType
    position: int


async def events_between(
    session: AsyncSession, kinds: Iterable[EventType], *, after: int, upto: int, limit: int
) -> Sequence[SourceEvent]:
    """Return the first events of these types with `after` < position <= `upto`, in order.

    Events of erased people are left out.
    """
    found: list[SourceEvent] = []
    for table, actions_of_table in _by_table(kinds).items():
        found += await _of_table(
            session, table, actions_of_table, after=after, upto=upto, limit=limit
        )
    return sorted(found, key=lambda event: event.position)[:limit]


async def count_between(
    session: AsyncSession, kinds: Iterable[EventType], *, after: int, upto: int, limit: int
) -> int:
    """Return how many events `events_between` would return."""
    found = 0
    for table, actions in _by_table(kinds).items():
        wanted = _between(table, actions, after, upto)
        few = select(table.id).where(*wanted).limit(limit).subquery()
        found += await session.scalar(select(func.count()).select_from(few)) or 0
    return min(found, limit)


def _by_table(kinds: Iterable[EventType]) -> Mapping[Table, Sequence[StrEnum]]:
    actions: dict[Table, list[StrEnum]] = {}
    for kind in kinds:
        table, action = SOURCES[kind]
        actions.setdefault(table, []).append(action)
    return actions


def _between(
    table: Table, actions: Sequence[StrEnum], after: int, upto: int
) -> Sequence[ColumnElement[bool]]:
    return (
        table.position > after,
        table.position <= upto,
        table.action.in_(actions),
        table.openid.not_like(f"{PREFIX}%"),
    )


async def _of_table(
    session: AsyncSession,
    table: Table,
    actions: Sequence[StrEnum],
    *,
    after: int,
    upto: int,
    limit: int,
) -> list[SourceEvent]:
    rows = await session.execute(
        select(table.id, table.action, table.position)
        .where(*_between(table, actions, after, upto))
        .order_by(table.position)
        .limit(limit)
    )
    return [SourceEvent(id_, _TYPES[table, action], position) for id_, action, position in rows]
