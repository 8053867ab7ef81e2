"""SQL of `/api/users`: state, consents, latest pushes and timeline of one person."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import (
    ARRAY,
    Row,
    Select,
    Text,
    cast,
    column,
    func,
    select,
    table,
    true,
    tuple_,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from app.events.cursor import ByTime
from app.events.models import Consent, Follower, FollowEvent, SubscriptionEvent
from app.events.store import settled_position

MAX_CONSENTS = 500
LAST_INTERACTIONS = 10

Event = FollowEvent | SubscriptionEvent
T = TypeVar("T", FollowEvent, SubscriptionEvent)
Keys = Sequence[tuple[str, str]]

# The inbox owns the table and is above this package, which may not import it.
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
    """Events of a person, the latest first. next: position where the next page starts."""

    events: Sequence[Event]
    next: ByTime | None


async def followers(session: AsyncSession, keys: Keys) -> Sequence[Follower]:
    """Return the follower state at each account that the person follows or has followed."""
    statement = select(Follower).where(tuple_(Follower.appid, Follower.openid).in_(keys))
    return (await session.scalars(statement.order_by(Follower.appid, Follower.openid))).all()


async def consents(session: AsyncSession, keys: Keys) -> Sequence[Consent]:
    """Return the person's decisions about templates, at most MAX_CONSENTS."""
    statement = select(Consent).where(tuple_(Consent.appid, Consent.openid).in_(keys))
    order = (Consent.appid, Consent.openid, Consent.template_id)
    return (await session.scalars(statement.order_by(*order).limit(MAX_CONSENTS))).all()


async def interactions(session: AsyncSession, keys: Keys) -> Sequence[Row[Any]]:
    """Return type and time of the person's latest pushes, without their contents."""
    key = each_of(keys)
    latest_pushes = (
        select(_CALLBACKS)
        .where(_CALLBACKS.c.appid == key.c.appid, _CALLBACKS.c.openid == key.c.openid)
        .order_by(_CALLBACKS.c.occurred_at.desc())
        .limit(LAST_INTERACTIONS)
        .lateral()
    )
    statement = select(latest_pushes).select_from(key.join(latest_pushes, true()))
    latest = statement.order_by(latest_pushes.c.occurred_at.desc()).limit(LAST_INTERACTIONS)
    return (await session.execute(latest)).all()


def each_of(keys: Keys) -> Any:  # noqa: ANN401 - SQLAlchemy's own type for this is private
    """Return the OpenIDs as a relation `key`."""
    # Joined with LATERAL, it reads only the latest rows of each OpenID, however many there are.
    appids, openids = [appid for appid, _ in keys], [openid for _, openid in keys]
    arrays = (cast(appids, ARRAY(Text)), cast(openids, ARRAY(Text)))
    return func.unnest(*arrays).table_valued("appid", "openid").render_derived(name="key")


async def timeline(
    session: AsyncSession,
    unionid: str | None,
    keys: Keys,
    *,
    before: ByTime | None,
    limit: int,
) -> Timeline:
    """Return follow and subscription events merged, the latest first.

    All events of the OpenIDs are included, whatever their UnionID, and all events with `unionid`,
    even if their OpenID has another one now.
    """
    horizon = await settled_position(session) if before is None else before.horizon

    part = _Part(before, horizon, limit + 1)
    events: list[Event] = [
        *await _entries(session, FollowEvent, unionid, keys, part),
        *await _entries(session, SubscriptionEvent, unionid, keys, part),
    ]
    found = sorted(
        {one.id: one for one in events}.values(),
        key=lambda one: (one.occurred_at, one.position),
        reverse=True,
    )
    shown = found[:limit]
    more = len(found) > len(shown)
    last = ByTime(horizon, shown[-1].occurred_at, shown[-1].position) if more else None
    return Timeline(shown, last)


@dataclass(frozen=True, slots=True)
class _Part:
    """Which entries of a timeline to read. limit: one more than shown, to see if more follow."""

    before: ByTime | None
    horizon: int
    limit: int

    def of(self, statement: Select[Any], events: type[T]) -> Select[Any]:
        """Return the statement limited to this part, the latest entry first."""
        position = tuple_(events.occurred_at, events.position)
        statement = statement.where(events.position <= self.horizon)
        if self.before is not None:
            statement = statement.where(position < (self.before.at, self.before.position))
        latest = statement.order_by(events.occurred_at.desc(), events.position.desc())
        return latest.limit(self.limit)


async def _entries(
    session: AsyncSession, events: type[T], unionid: str | None, keys: Keys, part: _Part
) -> Sequence[T]:
    """Return entries by OpenID and by UnionID; some may be there twice, or beyond the limit."""
    key = each_of(keys)
    own_events = select(events).where(events.appid == key.c.appid, events.openid == key.c.openid)
    one = aliased(events, part.of(own_events, events).lateral("one"))
    named = select(one).select_from(key.join(one, true()))
    latest = named.order_by(one.occurred_at.desc(), one.position.desc()).limit(part.limit)
    found = list(await session.scalars(latest))
    if unionid is not None:
        keyed = part.of(select(events).where(events.unionid == unionid), events)
        found += await session.scalars(keyed)
    return found
