"""Reads one person over all accounts, for `/api/users` and the console."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from app.events.cursor import ByTime
from app.events.models import FollowEvent
from app.events.refollows import refollows
from app.events.schemas import ConsentOut, FollowerOut
from app.identity import remarks
from app.identity import store as identity
from app.identity.models import OpenIdRow
from app.identity.schemas import OpenIdOut
from app.tags import store as tags
from app.users import store
from app.users.remaining_sends import sends_left
from app.users.schemas import (
    FollowEntry,
    FollowerTagOut,
    InteractionOut,
    SubscriptionEntry,
    TimelineOut,
    UserOut,
)

MAX_OPENIDS = 500


@dataclass(frozen=True, slots=True)
class TimelinePage:
    """Which part of the timeline to return.

    before: where the page before ended; None for the first. limit: at most so many entries.
    """

    before: ByTime | None
    limit: int


async def rows_of(session: AsyncSession, row: OpenIdRow) -> Sequence[OpenIdRow]:
    """Return every OpenID of the person who has this one, at most MAX_OPENIDS."""
    if row.unionid is None:
        return [row]
    return await identity.of_unionid(session, row.unionid, MAX_OPENIDS)


async def read_user(
    session: AsyncSession,
    unionid: str | None,
    rows: Sequence[OpenIdRow],
    page: TimelinePage,
    now: datetime,
) -> UserOut:
    """Return one person. rows: the OpenIDs of the person, which exist."""
    keys = [(row.appid, row.openid) for row in rows]
    former = await identity.former_unionids(session, rows)
    remark_of = await remarks.of_people(session, keys)
    consents = await store.consents(session, keys)
    left = await sends_left(session, consents)
    pauses = await identity.paused_until(session, {row.appid for row in rows}, now)
    return UserOut(
        unionid=unionid,
        openids=[
            _openid_out(
                row,
                former=former.get((row.appid, row.openid), []),
                remark=remark_of.get((row.appid, row.openid)),
                paused_until=pauses.get(row.appid),
            )
            for row in rows
        ],
        followers=[FollowerOut.model_validate(x) for x in await store.followers(session, keys)],
        consents=[ConsentOut.of(one, left) for one in consents],
        tags=[
            FollowerTagOut(
                appid=one.appid,
                openid=one.openid,
                tag_id=one.tag_id,
                name=name,
                known_at=one.known_at,
            )
            for one, name in await tags.of_people(session, keys)
        ],
        last_interactions=[
            InteractionOut.model_validate(x) for x in await store.interactions(session, keys)
        ],
        timeline=await _timeline(session, unionid, keys, page),
    )


async def _timeline(
    session: AsyncSession, unionid: str | None, keys: store.Keys, page: TimelinePage
) -> TimelineOut:
    found = await store.timeline(session, unionid, keys, before=page.before, limit=page.limit)
    again = await refollows(session, [one for one in found.events if isinstance(one, FollowEvent)])
    return TimelineOut(
        items=[
            FollowEntry.of(one, again)
            if isinstance(one, FollowEvent)
            else SubscriptionEntry.model_validate(one)
            for one in found.events
        ],
        next=None if found.next is None else str(found.next),
    )


def _openid_out(
    row: OpenIdRow, *, former: list[str], remark: str | None, paused_until: datetime | None
) -> OpenIdOut:
    next_at = row.resolve_next_at
    if next_at is not None and paused_until is not None:
        next_at = max(next_at, paused_until)
    return OpenIdOut(
        appid=row.appid,
        openid=row.openid,
        unionid=row.unionid,
        state=row.resolve_state,
        reason=row.reason,
        next_try_at=next_at,
        former_unionids=former,
        remark=remark,
        first_seen_at=row.first_seen_at,
        last_seen_at=row.last_seen_at,
    )
