"""`/api/alarms`: what has reached its threshold, and the thresholds."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Body, Header, HTTPException, Path, Query, Request
from pydantic import Field

from app.access.caller import actor_of
from app.access.scopes import ApiScope, needs
from app.alarms import alarm_store, examples, threshold_store
from app.alarms.alarm_store import AlarmState
from app.alarms.errors import BadThreshold
from app.alarms.http_errors import NOT_SET, STALE_THRESHOLD, http_errors, unprocessable
from app.alarms.kinds import AlarmKind
from app.alarms.schemas import AlarmOut, AlarmPage, ThresholdIn, ThresholdList, ThresholdOut
from app.alarms.threshold import Threshold, tag_of
from app.alarms.threshold_store import ALL_ACCOUNTS
from app.api_model import ApiModel
from app.api_route import BoundedRoute
from app.clock import Clock
from app.db.session import SessionDep
from app.identity.schemas import WeChatId
from app.settings import Settings

MAX_PAGE_ROWS = 500

Kind = Annotated[AlarmKind, Path(description="What the alarms are about")]
IfMatch = Annotated[
    str | None, Header(description="`etag` of the threshold that was read; without it, any")
]

router = APIRouter(prefix="/api/alarms", tags=["alarms"], route_class=BoundedRoute)


class _Page(ApiModel):
    """Filter and page of the list."""

    before: UUID | None = Field(default=None, description="`next` of the page before")
    limit: int = Field(default=100, ge=1, le=MAX_PAGE_ROWS)
    """At most so many alarms."""
    state: AlarmState | None = None
    """Only alarms that last, or that are over."""


@router.get("", openapi_extra=needs(ApiScope.ALARMS_READ))
async def list_alarms(query: Annotated[_Page, Query()], session: SessionDep) -> AlarmPage:
    """List alarms, the newest first. Those that are over are kept for 90 days."""
    rows = await alarm_store.page(
        session, before=query.before, limit=query.limit + 1, state=query.state
    )
    shown = rows[: query.limit]
    return AlarmPage(
        items=[AlarmOut.of(row) for row in shown],
        next=shown[-1].id if len(rows) > len(shown) else None,
    )


@router.get("/thresholds", openapi_extra=needs(ApiScope.ALARMS_READ))
async def list_thresholds(session: SessionDep) -> ThresholdList:
    """List when each kind of alarm begins."""
    found = await threshold_store.read(session)
    return ThresholdList(
        items=[
            ThresholdOut.of(kind, appid, threshold, found.tag(kind, appid))
            for kind, appid, threshold in threshold_store.listed(found)
        ]
    )


@router.put(
    "/thresholds/{kind}",
    responses=STALE_THRESHOLD,
    openapi_extra=needs(ApiScope.ALARMS_WRITE),
)
async def put_threshold(
    kind: Kind,
    threshold: Annotated[ThresholdIn, Body(openapi_examples=examples.THRESHOLDS)],
    request: Request,
    session: SessionDep,
    if_match: IfMatch = None,
) -> ThresholdOut:
    """Set when one kind of alarm begins, for all accounts or for one.

    With `If-Match` only if nobody else has changed it since it was read.
    """
    appid = threshold.appid or ALL_ACCOUNTS
    wanted = Threshold(threshold.enabled, threshold.value)
    try:
        threshold_store.check(kind, appid, wanted, _settings(request).accounts)
    except BadThreshold as error:
        raise unprocessable(error) from None
    now = _clock(request).now()
    with http_errors(kind):
        await threshold_store.put(
            session, actor_of(request), kind, appid, wanted, now, if_match=if_match
        )
    return ThresholdOut.of(kind, appid, wanted, tag_of(wanted))


@router.delete(
    "/thresholds/{kind}",
    status_code=204,
    responses=NOT_SET | STALE_THRESHOLD,
    openapi_extra=needs(ApiScope.ALARMS_WRITE),
)
async def delete_threshold(
    kind: Kind,
    request: Request,
    session: SessionDep,
    appid: Annotated[
        WeChatId | None, Query(description="Of this account alone; without it, of all")
    ] = None,
    if_match: IfMatch = None,
) -> None:
    """Let the default hold again; for one account, what holds for all.

    With `If-Match` only if nobody else has changed the threshold since it was read.
    """
    now = _clock(request).now()
    appid = appid or ALL_ACCOUNTS
    with http_errors(kind):
        removed = await threshold_store.remove(
            session, actor_of(request), kind, appid, now, if_match=if_match
        )
    if removed is None:
        raise HTTPException(404, f"no threshold of {kind} is set here")


def _clock(request: Request) -> Clock:
    clock: Clock = request.app.state.clock
    return clock


def _settings(request: Request) -> Settings:
    settings: Settings = request.app.state.settings
    return settings
