"""SQL of everything that is known of one person, over all their OpenIDs."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import Row, column, or_, select, table, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from app.events.cursor import ByTime
from app.events.lists import settled_position
from app.events.models import Consent, Follower, FollowEvent, SubscriptionEvent

MOST_CONSENTS = 500
LAST_INTERACTIONS = 10

Event = FollowEvent | SubscriptionEvent
T = TypeVar("T", FollowEvent, SubscriptionEvent)
Keys = Sequence[tuple[str, str]]

# The inbox belongs to a later step, which this one may not import.
_CALLBACKS = table(
    "callbacks",
    column("appid"),
    column("openid"),
    column("msgtype"),
    column("event"),
    column("occurred_at"),
)


@dataclass(frozen=True, slots=True)
class Timeline:
    """Events of a person, the latest first. next: where the next page starts."""

    events: Sequence[Event]
    next: ByTime | None


async def followers(session: AsyncSession, keys: Keys) -> Sequence[Follower]:
    """Return the state at each account that the person follows or has followed."""
    statement = select(Follower).where(tuple_(Follower.appid, Follower.openid).in_(keys))
    return (await session.scalars(statement.order_by(Follower.appid, Follower.openid))).all()


async def consents(session: AsyncSession, keys: Keys) -> Sequence[Consent]:
    """Return what the person decided, template by template, at most MOST_CONSENTS."""
    statement = select(Consent).where(tuple_(Consent.appid, Consent.openid).in_(keys))
    order = (Consent.appid, Consent.openid, Consent.template_id)
    return (await session.scalars(statement.order_by(*order).limit(MOST_CONSENTS))).all()


async def interactions(session: AsyncSession, keys: Keys) -> Sequence[Row[Any]]:
    """Return the latest pushes of the person: which kind, when; never what they said."""
    named = tuple_(_CALLBACKS.c.appid, _CALLBACKS.c.openid)
    statement = (
        select(_CALLBACKS)
        .where(named.in_(keys))
        .order_by(_CALLBACKS.c.occurred_at.desc())
        .limit(LAST_INTERACTIONS)
    )
    return (await session.execute(statement)).all()


async def timeline(
    session: AsyncSession,
    unionid: str | None,
    keys: Keys,
    *,
    before: ByTime | None,
    limit: int,
) -> Timeline:
    """Return follow and subscription events merged, the latest first.

    Events of the OpenIDs count whatever UnionID they were keyed with, and those keyed with
    `unionid` also when their OpenID has another one now.
    """
    horizon = await settled_position(session) if before is None else before.horizon

    found: list[Event] = [
        *await _entries(session, FollowEvent, unionid, keys, before, horizon, limit),
        *await _entries(session, SubscriptionEvent, unionid, keys, before, horizon, limit),
    ]
    found.sort(key=lambda one: (one.occurred_at, one.position), reverse=True)
    shown = found[:limit]
    more = len(found) > len(shown)
    last = ByTime(horizon, shown[-1].occurred_at, shown[-1].position) if more else None
    return Timeline(shown, last)


async def _entries(
    session: AsyncSession,
    events: type[T],
    unionid: str | None,
    keys: Keys,
    before: ByTime | None,
    horizon: int,
    limit: int,
) -> Sequence[T]:
    """One more than asked for, to tell whether another follows."""
    theirs = tuple_(events.appid, events.openid).in_(keys)
    statement = (
        select(events)
        .where(theirs if unionid is None else or_(theirs, events.unionid == unionid))
        .where(events.position <= horizon)
        .order_by(events.occurred_at.desc(), events.position.desc())
        .limit(limit + 1)
    )
    if before is not None:
        place = tuple_(events.occurred_at, events.position)
        statement = statement.where(place < (before.at, before.position))
    return (await session.scalars(statement)).all()
