"""`/api/campaigns`: adds, changes, lists and deletes campaigns, and reads their figures."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Body, Depends, Query, Request, Response
from pydantic import Field
from sqlalchemy.ext.asyncio import AsyncSession

from app.access.caller import actor_of
from app.access.scopes import ApiScope, needs
from app.api_model import ApiModel
from app.api_route import BoundedRoute
from app.campaigns import codes_router, examples, invitations_router, store
from app.campaigns.figures import figures_of
from app.campaigns.http_errors import CONFLICT, ETAG, STALE, UNKNOWN, http_errors
from app.campaigns.models import Campaign
from app.campaigns.schemas import (
    CampaignId,
    CampaignIn,
    CampaignOut,
    CampaignPage,
    CampaignReplacement,
    FiguresOut,
)
from app.clock import Clock
from app.codes import figures
from app.db.session import SessionDep
from app.links.days_query import DaysQuery
from app.read_only import require_unchanged
from app.rules.http.if_match import etag, required
from app.settings import Settings

MAX_PAGE_ROWS = 100

router = APIRouter(prefix="/api/campaigns", tags=["campaigns"], route_class=BoundedRoute)
router.include_router(codes_router.router)
router.include_router(invitations_router.router)

Expected = Annotated[frozenset[int] | None, Depends(required)]


class _Page(ApiModel):
    """A page of the list."""

    before: UUID | None = Field(default=None, description="`next` of the page before")
    limit: int = Field(default=50, ge=1, le=MAX_PAGE_ROWS)
    """At most so many campaigns."""


@router.get("", openapi_extra=needs(ApiScope.CAMPAIGNS_READ))
async def list_campaigns(query: Annotated[_Page, Query()], session: SessionDep) -> CampaignPage:
    """List campaigns, the newest first."""
    rows = await store.page(session, before=query.before, limit=query.limit + 1)
    shown = rows[: query.limit]
    return CampaignPage(
        items=await out(session, *shown),
        next=shown[-1].id if len(rows) > len(shown) else None,
    )


@router.post(
    "",
    status_code=201,
    responses={201: ETAG, **CONFLICT},
    openapi_extra=needs(ApiScope.CAMPAIGNS_WRITE),
)
async def add_campaign(
    campaign: Annotated[CampaignIn, Body(openapi_examples=examples.CAMPAIGNS)],
    request: Request,
    response: Response,
    session: SessionDep,
) -> CampaignOut:
    """Add a campaign. Its doors must exist; at any moment a door belongs to one campaign alone."""
    with http_errors():
        added = await store.add(
            session,
            actor_of(request),
            campaign,
            _now(request),
            mini_programs=_mini_programs(request),
        )
    return await _one(session, added, response)


@router.get(
    "/{campaign_id}",
    responses={200: ETAG, **UNKNOWN},
    openapi_extra=needs(ApiScope.CAMPAIGNS_READ),
)
async def get_campaign(
    campaign_id: CampaignId, response: Response, session: SessionDep
) -> CampaignOut:
    """Read a campaign. The next change sends its ETag as If-Match."""
    with http_errors(campaign_id):
        found = await store.read(session, campaign_id)
    return await _one(session, found, response)


@router.put(
    "/{campaign_id}",
    responses={200: ETAG, **UNKNOWN, **CONFLICT, **STALE},
    openapi_extra=needs(ApiScope.CAMPAIGNS_WRITE),
)
async def replace_campaign(
    campaign_id: CampaignId,
    campaign: Annotated[CampaignReplacement, Body(openapi_examples=examples.CAMPAIGNS)],
    expected: Expected,
    request: Request,
    response: Response,
    session: SessionDep,
) -> CampaignOut:
    """Replace a campaign as a whole. What `GET` returned may be sent back as it is, or changed.

    A door that is left out leads to the campaign no more; who came by it stays counted.
    """
    with http_errors(campaign_id):
        require_unchanged(campaign, await store.read(session, campaign_id), "id", "created_at")
        replaced = await store.replace(
            session,
            actor_of(request),
            campaign_id,
            campaign,
            _now(request),
            expected=expected,
            mini_programs=_mini_programs(request),
        )
    return await _one(session, replaced, response)


@router.delete(
    "/{campaign_id}",
    status_code=204,
    responses=UNKNOWN | STALE,
    openapi_extra=needs(ApiScope.CAMPAIGNS_WRITE),
)
async def delete_campaign(
    campaign_id: CampaignId, expected: Expected, request: Request, session: SessionDep
) -> None:
    """Delete a campaign, its figures and its codes. Codes that people have can't be redeemed."""
    with http_errors(campaign_id):
        await store.remove(
            session, actor_of(request), campaign_id, _now(request), expected=expected
        )


@router.get(
    "/{campaign_id}/figures", responses=UNKNOWN, openapi_extra=needs(ApiScope.CAMPAIGNS_READ)
)
async def get_campaign_figures(
    campaign_id: CampaignId,
    query: Annotated[DaysQuery, Query()],
    request: Request,
    session: SessionDep,
) -> FiguresOut:
    """Read how many codes were handed out and redeemed, by door and day, and what that cost."""
    since, until = query.days(_now(request))
    with http_errors(campaign_id):
        campaign = await store.read(session, campaign_id)
    return await figures_of(session, campaign, since, until)


async def out(session: AsyncSession, *campaigns: Campaign) -> list[CampaignOut]:
    """Return the JSON of campaigns."""
    ids = [campaign.id for campaign in campaigns]
    doors, left = await store.doors_of(session, ids), await figures.left(session, ids)
    return [
        CampaignOut.of(campaign, doors.get(campaign.id, []), left.get(campaign.id))
        for campaign in campaigns
    ]


async def _one(session: AsyncSession, campaign: Campaign, response: Response) -> CampaignOut:
    response.headers["ETag"] = etag(campaign.revision)
    (found,) = await out(session, campaign)
    return found


def _mini_programs(request: Request) -> frozenset[str]:
    settings: Settings = request.app.state.settings
    return settings.mini_programs


def _now(request: Request) -> datetime:
    clock: Clock = request.app.state.clock
    return clock.now()
