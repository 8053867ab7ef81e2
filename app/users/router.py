"""`/api/users`: one person at all accounts, with state and timeline."""

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from app.access.scoped_route import ScopedRoute
from app.access.scopes import ApiScope, needs
from app.api_errors import Detail
from app.db.session import SessionDep
from app.events import cursor
from app.events.cursor import ByTime
from app.events.models import FollowEvent
from app.events.refollows import refollows
from app.events.schemas import ConsentOut, FollowerOut
from app.identity import store as identity
from app.identity.models import OpenIdRow
from app.identity.schemas import OpenIdOut, WeChatId
from app.users import store
from app.users.remaining_sends import sends_left
from app.users.schemas import (
    FollowEntry,
    InteractionOut,
    SubscriptionEntry,
    TimelineOut,
    UserOut,
)

MAX_OPENIDS = 500
MAX_ENTRIES = 500


_UNKNOWN: dict[int | str, dict[str, Any]] = {
    404: {"model": Detail, "description": "The user does not exist"}
}


def _of_time(text: str) -> str:
    if not isinstance(cursor.read(text), ByTime):
        raise ValueError("pass the timeline's `next`, unchanged")
    return text


class TimelineQuery(BaseModel):
    """Which part of the timeline to return."""

    model_config = ConfigDict(extra="forbid")

    before: Annotated[str, AfterValidator(_of_time), Field(max_length=80)] | None = Field(
        default=None, description="The timeline's `next` of the page before"
    )
    limit: int = Field(
        default=100, ge=1, le=MAX_ENTRIES, description="At most so many timeline entries"
    )

    def position(self) -> ByTime | None:
        """Return the position where the page before ended."""
        position = None if self.before is None else cursor.read(self.before)
        return position if isinstance(position, ByTime) else None


class _OpenIdOf(TimelineQuery):
    appid: WeChatId
    openid: WeChatId


router = APIRouter(prefix="/api/users", tags=["users"], route_class=ScopedRoute)


@router.get("", responses=_UNKNOWN, openapi_extra=needs(ApiScope.PEOPLE_READ))
async def find_user(query: Annotated[_OpenIdOf, Query()], session: SessionDep) -> UserOut:
    """Find a person by the OpenID at one account."""
    row = await identity.of_openid(session, query.appid, query.openid)
    if row is None:
        raise HTTPException(404, f"user {query.openid} of account {query.appid} does not exist")
    rows = [row]
    if row.unionid is not None:
        rows = [*await identity.of_unionid(session, row.unionid, MAX_OPENIDS)]
    return await _user_out(session, row.unionid, rows, query)


@router.get("/{unionid}", responses=_UNKNOWN, openapi_extra=needs(ApiScope.PEOPLE_READ))
async def get_user(
    unionid: WeChatId, query: Annotated[TimelineQuery, Query()], session: SessionDep
) -> UserOut:
    """Read a person by UnionID: OpenIDs, state, consents and timeline."""
    rows = await identity.of_unionid(session, unionid, MAX_OPENIDS)
    if not rows:
        raise HTTPException(404, f"user {unionid} does not exist")
    return await _user_out(session, unionid, rows, query)


async def _user_out(
    session: SessionDep, unionid: str | None, rows: Sequence[OpenIdRow], query: TimelineQuery
) -> UserOut:
    keys = [(row.appid, row.openid) for row in rows]
    former = await identity.former_unionids(session, rows)
    consents = await store.consents(session, keys)
    left = await sends_left(session, consents)
    return UserOut(
        unionid=unionid,
        openids=[_openid_out(row, former.get((row.appid, row.openid), [])) for row in rows],
        followers=[FollowerOut.model_validate(x) for x in await store.followers(session, keys)],
        consents=[ConsentOut.of(one, left) for one in consents],
        last_interactions=[
            InteractionOut.model_validate(x) for x in await store.interactions(session, keys)
        ],
        timeline=await _timeline(session, unionid, keys, query),
    )


async def _timeline(
    session: SessionDep, unionid: str | None, keys: store.Keys, query: TimelineQuery
) -> TimelineOut:
    found = await store.timeline(session, unionid, keys, before=query.position(), limit=query.limit)
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


def _openid_out(row: OpenIdRow, former: list[str]) -> OpenIdOut:
    return OpenIdOut(
        appid=row.appid,
        openid=row.openid,
        unionid=row.unionid,
        state=row.resolve_state,
        reason=row.reason,
        next_try_at=row.resolve_next_at,
        former_unionids=former,
        first_seen_at=row.first_seen_at,
        last_seen_at=row.last_seen_at,
    )
