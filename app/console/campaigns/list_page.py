"""The list of campaigns, with a form for a further one."""

from collections.abc import Mapping
from typing import Annotated, Final
from uuid import UUID

from fastapi import Form, Query, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy.ext.asyncio import AsyncSession

from app.campaigns import store
from app.campaigns.errors import DoorTaken, TooManyCampaigns, UnknownDoor, UnknownTarget
from app.codes import figures
from app.console.campaigns.form import DOOR_TAKEN, DOOR_UNKNOWN, TARGET_UNKNOWN, CampaignForm
from app.console.campaigns.labels import state_of
from app.console.campaigns.router import router
from app.console.form_values import Blank
from app.console.messages import N_
from app.console.render import render, zone_of
from app.console.signed_in import Editor, Viewer
from app.console.template_environment import console_path
from app.console.visitor import actor_of
from app.db.session import SessionDep

SEE_OTHER: Final = 303
PAGE_ROWS: Final = 50


@router.get("")
async def show(
    request: Request,
    _visitor: Viewer,
    session: SessionDep,
    before: Annotated[Blank[UUID], Query()] = None,
) -> Response:
    """List campaigns, the newest first."""
    return await show_list(request, session, CampaignForm(), before=before)


@router.post("/add")
async def add(
    request: Request, visitor: Editor, session: SessionDep, form: Annotated[CampaignForm, Form()]
) -> Response:
    """Add a campaign, and show it."""
    campaign_in, problems = form.read(zone_of(request))
    if campaign_in is None:
        return await show_list(request, session, form, problems=problems)
    try:
        async with session.begin_nested():
            campaign = await store.add(
                session,
                actor_of(request, visitor),
                campaign_in,
                request.app.state.clock.now(),
                mini_programs=request.app.state.settings.mini_programs,
            )
    except UnknownDoor:
        return await show_list(request, session, form, problems={"doors": DOOR_UNKNOWN})
    except UnknownTarget:
        return await show_list(request, session, form, problems={"target": TARGET_UNKNOWN})
    except DoorTaken:
        return await show_list(request, session, form, problems={"doors": DOOR_TAKEN})
    except TooManyCampaigns:
        problems = {"name": N_("There are too many campaigns: delete one first.")}
        return await show_list(request, session, form, problems=problems)
    return RedirectResponse(console_path(f"/campaigns/{campaign.id}?done=added"), SEE_OTHER)


async def show_list(
    request: Request,
    session: AsyncSession,
    form: CampaignForm,
    *,
    before: UUID | None = None,
    problems: Mapping[str, str] | None = None,
) -> Response:
    """Show the list, and the form as it was typed. problems: by field, to be translated."""
    now = request.app.state.clock.now()
    found = await store.page(session, before=before, limit=PAGE_ROWS + 1)
    campaigns = found[:PAGE_ROWS]
    return render(
        request,
        "campaigns/index.html",
        status=422 if problems else 200,
        campaigns=[(campaign, state_of(campaign, now)) for campaign in campaigns],
        left=await figures.left(session, [campaign.id for campaign in campaigns]),
        older=campaigns[-1].id if len(found) > PAGE_ROWS else None,
        newest=before is not None,
        form=form,
        problems=problems or {},
    )
