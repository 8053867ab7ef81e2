"""`/api/campaigns/{campaign_id}/invitations`: people's own QR codes, and who came by them."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Body, Query, Request, Response
from pydantic import Field

from app.access import audit
from app.access.actions import Action
from app.access.caller import actor_of, caller_of
from app.access.scopes import ApiScope, needs
from app.api_errors import Detail, InvalidRequest, Problem
from app.api_model import ApiModel
from app.api_route import BoundedRoute
from app.campaigns import examples, invite, store
from app.campaigns.http_errors import UNKNOWN, Responses, http_errors
from app.campaigns.schemas import CampaignId, InvitationIn, InvitationOut, InvitationPage
from app.clock import Clock
from app.codes.holder import Holder
from app.csv_response import csv_response
from app.db.engine import Database
from app.db.session import SessionDep
from app.qrcodes.accounts import accounts_with_codes
from app.settings import Settings
from app.tombstones.erasure_secret import erasure_secret
from app.tombstones.pseudonyms import pseudonyms

MAX_PAGE_ROWS: Final = 500
FILE_ROWS: Final = 1_000
HEADER: Final = ("openid", "qrcode", "came", "left", "made_at")
NO_ACCOUNT: Final = (
    "names no Official Account whose AppSecret is in the settings, which QR codes need"
)
_REFUSED: Final[Responses] = {
    409: {"model": Detail, "description": "The campaign does not run, or the person is not known"}
}
_CSV: Final[dict[int | str, dict[str, Any]]] = {
    200: {"description": "The invitations as CSV", "content": {"text/csv": {}}}
}

router = APIRouter(prefix="/{campaign_id}/invitations", route_class=BoundedRoute)


class _Page(ApiModel):
    """A page of the list."""

    before: UUID | None = Field(default=None, description="`next` of the page before")
    limit: int = Field(default=100, ge=1, le=MAX_PAGE_ROWS)
    """At most so many invitations."""


@router.post("", responses=UNKNOWN | _REFUSED, openapi_extra=needs(ApiScope.CODES_WRITE))
async def make_invitation(
    campaign_id: CampaignId,
    wanted: Annotated[InvitationIn, Body(openapi_examples=examples.INVITATIONS)],
    request: Request,
    session: SessionDep,
) -> InvitationOut:
    """Make a person's own QR code in a campaign, or return it: the same one each time.

    The worker gets it from WeChat within seconds. WeChat forbids to reward people for follows
    that they bring; see the documentation.
    """
    caller_of(request).require_appids({wanted.appid})
    settings: Settings = request.app.state.settings
    if wanted.appid not in accounts_with_codes(settings):
        raise InvalidRequest([Problem(loc=["body", "appid"], msg=NO_ACCOUNT, type="value_error")])
    now = _now(request)
    names = await pseudonyms(session, erasure_secret(settings))
    with http_errors(campaign_id):
        campaign = await store.read(session, campaign_id)
        holder = Holder(wanted.appid, wanted.openid)
        qrcode_id = await invite.invite(session, campaign, holder, names, now)
    subject = store.subject_of(campaign_id)
    await audit.record_hourly(session, actor_of(request), Action.INVITATIONS_MADE, subject, now=now)
    found = await invite.one(session, qrcode_id)
    return InvitationOut.of(found, settings.base_url, now)


@router.get("", responses=UNKNOWN, openapi_extra=needs(ApiScope.CAMPAIGNS_READ))
async def list_invitations(
    campaign_id: CampaignId,
    query: Annotated[_Page, Query()],
    request: Request,
    session: SessionDep,
) -> InvitationPage:
    """List the invitations of a campaign with what they brought, the newest first."""
    with http_errors(campaign_id):
        await store.read(session, campaign_id)
    found = await invite.page(session, campaign_id, before=query.before, limit=query.limit + 1)
    shown = found[: query.limit]
    base_url = request.app.state.settings.base_url
    return InvitationPage(
        items=[InvitationOut.of(one, base_url, _now(request)) for one in shown],
        next=shown[-1].qrcode.id if len(found) > len(shown) else None,
    )


@router.get(
    "/export",
    openapi_extra=needs(ApiScope.CAMPAIGNS_READ),
    response_class=Response,
    responses=_CSV | UNKNOWN,
)
async def export_invitations(campaign_id: CampaignId, request: Request) -> Response:
    """Download the invitations of a campaign, the newest first."""
    database: Database = request.app.state.database
    async with database.sessions.begin() as session:
        with http_errors(campaign_id):
            await store.read(session, campaign_id)
    return await csv_response("invitations", HEADER, file_pages(database, campaign_id))


async def file_pages(
    database: Database, campaign_id: UUID
) -> AsyncIterator[list[tuple[object, ...]]]:
    """Yield the rows of the file, each page from its own transaction."""
    before: UUID | None = None
    while True:
        async with database.sessions.begin() as session:
            found = await invite.page(session, campaign_id, before=before, limit=FILE_ROWS)
        yield [
            (one.openid, one.qrcode.id, one.came, one.gone, one.qrcode.created_at.isoformat())
            for one in found
        ]
        if len(found) < FILE_ROWS:
            return
        before = found[-1].qrcode.id


def _now(request: Request) -> datetime:
    clock: Clock = request.app.state.clock
    return clock.now()
