"""`/api/campaigns/{campaign_id}/…`: fills the pool of codes, gives codes, and redeems them."""

from datetime import datetime
from typing import Annotated, Any, Final

from fastapi import APIRouter, Body, HTTPException, Request

from app.access import audit
from app.access.actions import Action
from app.access.caller import actor_of, caller_of
from app.access.scopes import ApiScope, needs
from app.api_errors import Detail
from app.api_route import BoundedRoute
from app.campaigns import examples, store
from app.campaigns.give_code import CampaignCodes
from app.campaigns.http_errors import CONFLICT, UNKNOWN, Responses, http_errors
from app.campaigns.schemas import (
    CampaignId,
    DoorIn,
    DrawIn,
    GiveIn,
    GivenCode,
    ImportId,
    ImportList,
    ImportOut,
    RedemptionIn,
    RedemptionOut,
)
from app.clock import Clock
from app.codes import import_store
from app.codes.code_text import MAX_LENGTH
from app.codes.holder import Door, Holder
from app.codes.models import CodeImport
from app.codes.read_csv import MAX_CODES
from app.codes.receive import receive
from app.codes.redeem import redeem
from app.db.engine import Database
from app.db.session import SessionDep
from app.replies.code_source import CodeBusy, NoCode
from app.settings import Settings
from app.tombstones.erasure_secret import erasure_secret

IMPORT_PATH: Final = "/api/campaigns/{campaign_id}/codes/imports"
# A million codes in quotes on lines that end as those of Windows do, and a part more.
MAX_FILE_BYTES: Final = MAX_CODES * (MAX_LENGTH + 4) + 1024 * 1024

_CSV: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {
            "text/csv": {
                "schema": {"type": "string"},
                "examples": {"codes": {"summary": "Two codes", "value": examples.CODES}},
            }
        },
    }
}
_NO_CODE: Final[Responses] = {
    409: {"model": Detail, "description": "There is no code for the person"}
}
_NOT_REDEEMED: Final[Responses] = {
    404: {"model": Detail, "description": "The campaign or the code does not exist"},
    409: {"model": Detail, "description": "The code was redeemed before, is void or not given"},
}

router = APIRouter(prefix="/{campaign_id}", route_class=BoundedRoute)


@router.post(
    "/codes/imports",
    status_code=202,
    responses=UNKNOWN | CONFLICT,
    openapi_extra=needs(ApiScope.CAMPAIGNS_WRITE) | _CSV,
)
async def import_codes(campaign_id: CampaignId, request: Request) -> ImportOut:
    """Add up to 1,000,000 codes from a CSV: those of its column `code`, or of its first one.

    The whole file is checked before a code is added. The worker then adds those that the pool does
    not have: a file that is sent a second time adds nothing.
    """
    given = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if given and given not in ("text/csv", "text/plain"):
        raise HTTPException(415, "send the codes as CSV, with Content-Type: text/csv")
    database: Database = request.app.state.database
    clock: Clock = request.app.state.clock
    with http_errors(campaign_id):
        async with database.sessions.begin() as session:
            await store.read(session, campaign_id)
        # In transactions of its own, since the file may arrive slowly.
        received = await receive(database.sessions, clock, campaign_id, request.stream())
    async with database.sessions.begin() as session:
        await audit.record(
            session,
            actor_of(request),
            Action.CODES_IMPORTED,
            store.subject_of(campaign_id),
            now=clock.now(),
        )
    return ImportOut.of(received)


@router.post(
    "/codes/drawn",
    status_code=202,
    responses=UNKNOWN | CONFLICT,
    openapi_extra=needs(ApiScope.CAMPAIGNS_WRITE),
)
async def draw_codes(
    campaign_id: CampaignId,
    wanted: Annotated[DrawIn, Body(openapi_examples=examples.DRAWN)],
    request: Request,
    session: SessionDep,
) -> ImportOut:
    """Let the service draw codes that nobody can guess. The worker adds them to the pool."""
    with http_errors(campaign_id):
        await store.read(session, campaign_id)
        drawn = await import_store.draw(
            session,
            campaign_id,
            count=wanted.count,
            prefix=wanted.prefix,
            length=wanted.length,
            key=wanted.key,
            now=_now(request),
        )
    await audit.record(
        session,
        actor_of(request),
        Action.CODES_DRAWN,
        store.subject_of(campaign_id),
        now=_now(request),
    )
    return ImportOut.of(drawn)


@router.get("/codes/imports", responses=UNKNOWN, openapi_extra=needs(ApiScope.CAMPAIGNS_READ))
async def list_imports(campaign_id: CampaignId, session: SessionDep) -> ImportList:
    """List the latest imports and draws of a campaign."""
    with http_errors(campaign_id):
        await store.read(session, campaign_id)
    found = await import_store.latest(session, campaign_id)
    return ImportList(items=[ImportOut.of(each) for each in found])


@router.get(
    "/codes/imports/{import_id}",
    responses={404: {"model": Detail, "description": "The campaign or the import does not exist"}},
    openapi_extra=needs(ApiScope.CAMPAIGNS_READ),
)
async def get_import(
    campaign_id: CampaignId, import_id: ImportId, session: SessionDep
) -> ImportOut:
    """Read how far an import is."""
    found: CodeImport | None = await import_store.read(session, campaign_id, import_id)
    if found is None:
        raise HTTPException(404, f"campaign {campaign_id} has no import {import_id}")
    return ImportOut.of(found)


@router.post(
    "/codes/given",
    responses=UNKNOWN | _NO_CODE,
    openapi_extra=needs(ApiScope.CODES_WRITE),
)
async def give_code(
    campaign_id: CampaignId,
    wanted: Annotated[GiveIn, Body(openapi_examples=examples.GIVEN)],
    request: Request,
    session: SessionDep,
) -> GivenCode:
    """Give a person in a mini-program their code, the same one that a reply gives them.

    A token of the database gives codes to people of the AppIDs that it names, and to no others.
    """
    caller_of(request).require_appids({wanted.appid})
    settings: Settings = request.app.state.settings
    now = _now(request)
    with http_errors(campaign_id):
        campaign = await store.read(session, campaign_id)
        await store.require_door(session, campaign_id, wanted.door)
    if not campaign.starts_at <= now < campaign.ends_at:
        raise HTTPException(409, "the campaign does not run now: nobody gets a code")
    door = None if wanted.door is None else Door(wanted.door.kind, wanted.door.id)
    codes = CampaignCodes(erasure_secret(settings))
    holder = Holder(wanted.appid, wanted.openid)
    try:
        code = await codes.give(session, campaign_id, holder, door, now)
    except NoCode:
        raise HTTPException(
            409, "nothing is known of this OpenID: report it by PUT /api/identities first"
        ) from None
    except CodeBusy as error:
        raise HTTPException(503, f"{error}: try again", headers={"Retry-After": "1"}) from None
    if code is None:
        raise HTTPException(409, "the campaign has no code left: import or draw more")
    subject = store.subject_of(campaign_id)
    await audit.record_hourly(session, actor_of(request), Action.CODES_GIVEN, subject, now=now)
    return GivenCode(code=code)


@router.post("/redemptions", responses=_NOT_REDEEMED, openapi_extra=needs(ApiScope.CODES_WRITE))
async def redeem_code(
    campaign_id: CampaignId,
    redemption: Annotated[RedemptionIn, Body(openapi_examples=examples.REDEMPTIONS)],
    request: Request,
    session: SessionDep,
) -> RedemptionOut:
    """Redeem a code, once. The same call again changes nothing and gets the same answer.

    A code can be redeemed after the end of its campaign, too: how long it is worth something is
    the shop's to say.
    """
    now = _now(request)
    at = now if redemption.redeemed_at is None else min(redemption.redeemed_at, now)
    with http_errors(campaign_id):
        await store.read(session, campaign_id)
        found = await redeem(session, campaign_id, redemption.code, redemption.key, at)
    subject = store.subject_of(campaign_id)
    await audit.record_hourly(session, actor_of(request), Action.CODES_REDEEMED, subject, now=now)
    return RedemptionOut(
        code=found.code,
        redeemed_at=found.redeemed_at or at,
        given_at=found.given_at or at,
        door=None
        if found.door_kind is None or found.door_id is None
        else DoorIn.model_validate({"kind": found.door_kind, "id": found.door_id}),
    )


def _now(request: Request) -> datetime:
    clock: Clock = request.app.state.clock
    return clock.now()
