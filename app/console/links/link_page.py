"""One link: what it opens, its state, and how often it was opened."""

from datetime import date, datetime, timedelta
from typing import Annotated, Final, Literal
from uuid import UUID

from fastapi import Query, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy.ext.asyncio import AsyncSession

from app.clock import SHANGHAI
from app.console import errors
from app.console.chart_csv import chart_csv
from app.console.chart_marks import marks_of
from app.console.charts import Series, line_chart
from app.console.form_values import Blank
from app.console.language import language_of
from app.console.links.link_state import state_of
from app.console.links.router import router
from app.console.messages import N_, Messages
from app.console.render import render
from app.console.signed_in import Editor, Viewer
from app.console.template_environment import console_path
from app.console.visitor import actor_of
from app.db.session import SessionDep
from app.links import store
from app.links.models import Link, OpenKind
from app.links.schemas import problem_of, short_url
from app.settings import Settings
from app.stats.date_range import DateRange

SEE_OTHER: Final = 303
DAYS: Final = 30
KINDS: Final = {
    OpenKind.MINI_PROGRAM: N_("sent to WeChat"),
    OpenKind.DESKTOP: N_("QR code on a desktop"),
    OpenKind.FALLBACK: N_("fell back"),
    OpenKind.PREVIEW: N_("robots and previews"),
}
DONE: Final = {
    "changed": N_(
        "The link is changed. Its old page opens until WeChat has made the new URL Link."
    ),
    "added": N_("The link is added. The worker gets its URL Link within seconds."),
    "renewed": N_("The worker asks WeChat for another URL Link."),
}


@router.get("/{link_id}")
async def show_link(
    request: Request,
    _visitor: Viewer,
    link_id: UUID,
    session: SessionDep,
    done: Annotated[Blank[Literal["added", "changed", "renewed"]], Query()] = None,
) -> Response:
    """Show a link."""
    link = await session.get(Link, link_id)
    if link is None:
        raise errors.NotFound
    settings: Settings = request.app.state.settings
    now = request.app.state.clock.now()
    days, figures = await _opens(session, link_id, now)
    language = language_of(request)
    translate = Messages(language).text
    span = DateRange(days[0], days[-1], SHANGHAI.key)
    marks = await marks_of(request, session, list(settings.accounts), span)
    return render(
        request,
        "links/link.html",
        link=link,
        state=state_of(link, now),
        problem=problem_of(link, "en" if language == "en" else "zh"),
        short_url=short_url(settings.base_url, link.slug),
        figures=[(KINDS[kind], sum(values)) for kind, values in figures.items()],
        chart=line_chart(
            [day.isoformat() for day in days],
            [Series(translate(KINDS[kind]), values) for kind, values in figures.items()],
            marks,
        ),
        done=None if done is None else DONE[done],
    )


@router.get("/{link_id}/export.csv")
async def export(
    request: Request, _visitor: Viewer, link_id: UUID, session: SessionDep
) -> Response:
    """Send the opens of the same days as a file."""
    link = await session.get(Link, link_id)
    if link is None:
        raise errors.NotFound
    days, figures = await _opens(session, link_id, request.app.state.clock.now())
    header = ["day", *(kind.value for kind in KINDS)]
    return await chart_csv(f"link-{link.slug}", header, zip(days, *figures.values(), strict=True))


@router.post("/{link_id}/renew")
async def renew(request: Request, visitor: Editor, link_id: UUID, session: SessionDep) -> Response:
    """Let the worker ask WeChat for another URL Link."""
    link = await store.locked(session, link_id)
    if link is None:
        raise errors.NotFound
    actor, now = actor_of(request, visitor), request.app.state.clock.now()
    await store.renew_now(session, actor, link, now)
    return RedirectResponse(console_path(f"/links/{link_id}?done=renewed"), SEE_OTHER)


@router.post("/{link_id}/delete")
async def delete(request: Request, visitor: Editor, link_id: UUID, session: SessionDep) -> Response:
    """Delete a link and its figures."""
    now = request.app.state.clock.now()
    if not await store.remove(session, actor_of(request, visitor), link_id, now):
        raise errors.NotFound
    return RedirectResponse(console_path("/links"), SEE_OTHER)


async def _opens(
    session: AsyncSession, link_id: UUID, now: datetime
) -> tuple[list[date], dict[OpenKind, list[int]]]:
    """Return the last days, and the opens of each of them by kind."""
    until = now.astimezone(SHANGHAI).date()
    days = [until - timedelta(days=number) for number in reversed(range(DAYS))]
    opens = await store.opens_by_day(session, link_id, days[0], until)
    return days, {kind: [opens.get(day, {}).get(kind.value, 0) for day in days] for kind in KINDS}
