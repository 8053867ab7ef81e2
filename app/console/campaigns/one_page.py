"""One campaign: its figures by door and day, its codes, and forms that add some."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Annotated, Final, Literal
from uuid import UUID, uuid4

from fastapi import Query, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy.ext.asyncio import AsyncSession

from app.access import audit
from app.access.actions import Action
from app.campaigns import invite, store
from app.campaigns.errors import NoSuchCampaign
from app.campaigns.figures import figures_of
from app.campaigns.invitations_router import HEADER, file_pages
from app.campaigns.models import Campaign
from app.campaigns.schemas import DayFigures
from app.clock import SHANGHAI
from app.codes import figures, import_store
from app.codes.models import CodeImport, ImportState
from app.console.campaigns.edit_page import read
from app.console.campaigns.labels import DOORS, IMPORTS, state_of
from app.console.campaigns.router import router
from app.console.chart_csv import chart_csv
from app.console.chart_marks import marks_of
from app.console.charts import Series, line_chart
from app.console.errors import NotFound
from app.console.file_phrases import file_problem
from app.console.followers.references import references, tail
from app.console.form_values import Blank
from app.console.labels import named
from app.console.language import language_of
from app.console.messages import N_, Messages
from app.console.render import render
from app.console.signed_in import Editor, Viewer
from app.console.template_environment import console_path
from app.console.visitor import actor_of
from app.csv_response import csv_response
from app.db.engine import Database
from app.db.session import SessionDep
from app.stats.date_range import DateRange
from app.tombstones.subject import is_erased

SEE_OTHER: Final = 303
DAYS: Final = 30
IMPORTS_SHOWN: Final = 10
CHARTED: Final = {"handed_out": N_("Handed out"), "redeemed": N_("Redeemed")}
INVITERS_SHOWN: Final = 20
DONE: Final = {
    "added": N_("The campaign is added."),
    "changed": N_("The campaign is changed."),
    "codes": N_("The codes are checked. The worker adds them."),
}


@router.get("/{campaign_id}")
async def show_campaign(
    request: Request,
    _visitor: Viewer,
    campaign_id: UUID,
    session: SessionDep,
    done: Annotated[Blank[Literal["added", "changed", "codes"]], Query()] = None,
) -> Response:
    """Show a campaign."""
    campaign = await read(session, campaign_id)
    return await show(request, session, campaign, done=None if done is None else DONE[done])


@router.get("/{campaign_id}/export.csv")
async def export(
    request: Request, _visitor: Viewer, campaign_id: UUID, session: SessionDep
) -> Response:
    """Send the codes of the same days as a file."""
    campaign = await read(session, campaign_id)
    days = _days(campaign, request.app.state.clock.now())
    found = await figures_of(session, campaign, days[0], days[-1])
    rows = [(day, *(_of_day(found.days, day, name) for name in CHARTED)) for day in days]
    return await chart_csv(f"campaign-{campaign_id}", ["day", *CHARTED], rows)


@router.get("/{campaign_id}/progress")
async def show_progress(
    request: Request, _visitor: Viewer, campaign_id: UUID, session: SessionDep
) -> Response:
    """Show how far imports of codes are; when all are over, the page is loaded again."""
    campaign = await read(session, campaign_id)
    waiting = _open(await import_store.latest(session, campaign_id))
    headers = None if waiting else {"HX-Refresh": "true"}
    return render(
        request,
        "campaigns/progress.html",
        headers=headers,
        campaign=campaign,
        open_imports=waiting,
    )


@router.get("/{campaign_id}/invitations.csv")
async def export_invitations(request: Request, visitor: Editor, campaign_id: UUID) -> Response:
    """Send the invitations as a file.

    It names people, so that editors alone get it, and the audit log says who did.
    """
    database: Database = request.app.state.database
    async with database.sessions.begin() as session:
        await read(session, campaign_id)
        await audit.record(
            session,
            actor_of(request, visitor),
            Action.INVITATIONS_SHOWN,
            store.subject_of(campaign_id),
            now=request.app.state.clock.now(),
        )
    return await csv_response("invitations", HEADER, file_pages(database, campaign_id))


@router.post("/{campaign_id}/delete")
async def delete(
    request: Request, visitor: Editor, campaign_id: UUID, session: SessionDep
) -> Response:
    """Delete a campaign with its codes."""
    now = request.app.state.clock.now()
    try:
        await store.remove(session, actor_of(request, visitor), campaign_id, now, expected=None)
    except NoSuchCampaign:
        raise NotFound from None
    return RedirectResponse(console_path("/campaigns"), SEE_OTHER)


async def show(
    request: Request,
    session: AsyncSession,
    campaign: Campaign,
    *,
    done: str | None = None,
    problems: Mapping[str, str] | None = None,
    details: tuple[str, ...] = (),
) -> Response:
    """Show a campaign. problems: of the forms for codes, by field. details: of a file.

    The figures are those of the last 30 days, or of the campaign's last 30 if it is over.
    """
    now = request.app.state.clock.now()
    days = _days(campaign, now)
    found = await figures_of(session, campaign, days[0], days[-1])
    imports = (await import_store.latest(session, campaign.id))[:IMPORTS_SHOWN]
    make = await references(session, request.app.state.settings)
    inviters = await invite.most(session, campaign.id, INVITERS_SHOWN)
    span = DateRange(days[0], days[-1], SHANGHAI.key)
    marks = await marks_of(request, session, list(request.app.state.settings.accounts), span)
    translate = Messages(language_of(request)).text
    return render(
        request,
        "campaigns/campaign.html",
        status=422 if problems else 200,
        campaign=campaign,
        state=state_of(campaign, now),
        left=(await figures.left(session, [campaign.id])).get(campaign.id),
        figures=found,
        door_names=DOORS,
        inviters=[
            (
                None
                if one.openid is None or is_erased(one.openid)
                else (make.make(one.qrcode.appid, one.openid), tail(one.openid)),
                one,
            )
            for one in inviters
        ],
        chart=line_chart(
            [day.isoformat() for day in days],
            [
                Series(translate(text), [_of_day(found.days, day, name) for day in days])
                for name, text in CHARTED.items()
            ],
            marks,
        ),
        imports=[(one, named(IMPORTS, one.state)) for one in imports],
        open_imports=_open(imports),
        key=str(uuid4()),
        done=done,
        problems=problems or {},
        details=[file_problem(request, line) for line in details],
    )


def _open(imports: Sequence[CodeImport]) -> list[CodeImport]:
    return [one for one in imports if one.state is ImportState.RUNNING]


def _days(campaign: Campaign, now: datetime) -> list[date]:
    until = min(now, campaign.ends_at).astimezone(SHANGHAI).date()
    return [until - timedelta(days=number) for number in reversed(range(DAYS))]


def _of_day(rows: list[DayFigures], day: date, member: str) -> int:
    return sum(getattr(row, member) for row in rows if row.day == day)
