"""Changes a campaign, unless somebody else has changed it meanwhile."""

from collections.abc import Mapping
from typing import Annotated, Final
from uuid import UUID

from fastapi import Form, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy.ext.asyncio import AsyncSession

from app.campaigns import store
from app.campaigns.errors import (
    DoorTaken,
    LongOver,
    NoSuchCampaign,
    StaleRevision,
    UnknownDoor,
    UnknownTarget,
)
from app.campaigns.models import Campaign
from app.console.campaigns.form import DOOR_TAKEN, DOOR_UNKNOWN, TARGET_UNKNOWN, CampaignForm
from app.console.campaigns.router import router
from app.console.errors import NotFound
from app.console.messages import N_
from app.console.render import render, zone_of
from app.console.signed_in import Editor
from app.console.template_environment import console_path
from app.console.visitor import actor_of
from app.db.session import SessionDep

SEE_OTHER: Final = 303
MAX_REVISION: Final = 2**63 - 1
LONG_OVER: Final = N_("The campaign is long over, and who has its codes is forgotten: add another.")


@router.get("/{campaign_id}/edit")
async def show_edit(
    request: Request, _visitor: Editor, session: SessionDep, campaign_id: UUID
) -> Response:
    """Show the form of a campaign."""
    campaign = await read(session, campaign_id)
    form = await _stored(request, session, campaign)
    return _form(request, campaign_id, form, campaign.revision)


@router.post("/{campaign_id}/edit")
async def edit(
    request: Request,
    visitor: Editor,
    session: SessionDep,
    campaign_id: UUID,
    form: Annotated[CampaignForm, Form()],
    revision: Annotated[int, Form(ge=0, le=MAX_REVISION)] = 0,
) -> Response:
    """Replace the fields of a campaign. revision: the one that the form was filled from."""
    campaign_in, problems = form.read(zone_of(request))
    if campaign_in is None:
        return _form(request, campaign_id, form, revision, problems=problems)
    actor, now = actor_of(request, visitor), request.app.state.clock.now()
    try:
        async with session.begin_nested():
            await store.replace(
                session,
                actor,
                campaign_id,
                campaign_in,
                now,
                expected=frozenset({revision}),
                mini_programs=request.app.state.settings.mini_programs,
            )
    except NoSuchCampaign:
        raise NotFound from None
    except StaleRevision as stale:
        campaign = await read(session, campaign_id)
        theirs = await _stored(request, session, campaign)
        return _form(request, campaign_id, form, stale.revision, newer=theirs, status=409)
    except UnknownDoor:
        problems = {"doors": DOOR_UNKNOWN}
    except UnknownTarget:
        problems = {"target": TARGET_UNKNOWN}
    except DoorTaken:
        problems = {"doors": DOOR_TAKEN}
    except LongOver:
        problems = {"ends_at": LONG_OVER}
    if problems:
        return _form(request, campaign_id, form, revision, problems=problems)
    return RedirectResponse(console_path(f"/campaigns/{campaign_id}?done=changed"), SEE_OTHER)


async def read(session: AsyncSession, campaign_id: UUID) -> Campaign:
    """Return a campaign. Raises NotFound."""
    try:
        return await store.read(session, campaign_id)
    except NoSuchCampaign:
        raise NotFound from None


async def _stored(request: Request, session: AsyncSession, campaign: Campaign) -> CampaignForm:
    doors = (await store.doors_of(session, [campaign.id])).get(campaign.id, [])
    return CampaignForm.of(campaign, doors, zone_of(request))


def _form(
    request: Request,
    campaign_id: UUID,
    form: CampaignForm,
    revision: int,
    *,
    problems: Mapping[str, str] | None = None,
    newer: CampaignForm | None = None,
    status: int = 200,
) -> Response:
    return render(
        request,
        "campaigns/edit.html",
        status=422 if problems else status,
        campaign_id=campaign_id,
        form=form,
        revision=revision,
        problems=problems or {},
        newer=newer,
    )
