"""One code: its picture, its state, what a scan does, and who came by it."""

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
from app.console.labels import named
from app.console.language import language_of
from app.console.messages import N_, Messages
from app.console.qrcodes.answering_rules import answering_rules
from app.console.qrcodes.code_labels import FIGURES, KINDS, REACHED, STATES
from app.console.qrcodes.router import router
from app.console.render import render
from app.console.signed_in import Editor, Viewer
from app.console.template_environment import console_path
from app.console.visitor import actor_of
from app.db.session import SessionDep
from app.funnel.steps import DoorKind
from app.links.schemas import problem_of
from app.qrcodes import figures_store, store
from app.qrcodes.life import NEVER, QrState, state_of
from app.qrcodes.models import QrCode, QrKind
from app.qrcodes.schemas import picture_url
from app.settings import Settings
from app.stats.date_range import DateRange
from app.stats.funnel_figures import funnel_figures
from app.stats.funnel_schemas import FunnelQuery

SEE_OTHER: Final = 303
DAYS: Final = 30
CHARTED: Final = ("scans", "new_follows", "refollows")
DONE: Final = {
    "added": N_("The code is added. The worker gets it from WeChat within seconds."),
    "renewed": N_("The worker asks WeChat for the code."),
}


@router.get("/{qrcode_id}")
async def show_code(
    request: Request,
    _visitor: Viewer,
    qrcode_id: UUID,
    session: SessionDep,
    done: Annotated[Blank[Literal["added", "renewed"]], Query()] = None,
) -> Response:
    """Show a code."""
    code = await session.get(QrCode, qrcode_id)
    if code is None:
        raise errors.NotFound
    settings: Settings = request.app.state.settings
    now = request.app.state.clock.now()
    days, by_day = await _days(session, qrcode_id, now)
    language = language_of(request)
    translate = Messages(language).text
    span = DateRange(days[0], days[-1], SHANGHAI.key)
    marks = await marks_of(request, session, [code.appid], span)
    state = state_of(code, now)
    return render(
        request,
        "qrcodes/code.html",
        code=code,
        state=STATES[state],
        shown=state in {QrState.LIVE, QrState.NOT_RENEWED},
        kind=named(KINDS, code.kind),
        renewal=None if code.renew_at >= NEVER else code.renew_at,
        problem=problem_of(code, "en" if language == "en" else "zh"),
        address=picture_url(settings.base_url, code.slug),
        figures=[(text, getattr(code, name)) for name, text in FIGURES.items()],
        chart=line_chart(
            [day.isoformat() for day in days],
            [Series(translate(FIGURES[name]), by_day[name]) for name in CHARTED],
            marks,
        ),
        answering=answering_rules(request.app.state.rules.current, code, now, settings),
        reached=await _reached(session, code, days, settings),
        renewable=code.kind is QrKind.TEMPORARY or code.url is None,
        done=None if done is None else DONE[done],
    )


@router.get("/{qrcode_id}/export.csv")
async def export(
    request: Request, _visitor: Viewer, qrcode_id: UUID, session: SessionDep
) -> Response:
    """Send the figures of the same days as a file."""
    code = await session.get(QrCode, qrcode_id)
    if code is None:
        raise errors.NotFound
    days, by_day = await _days(session, qrcode_id, request.app.state.clock.now())
    rows = zip(days, *by_day.values(), strict=True)
    return await chart_csv(f"qrcode-{code.slug}", ["day", *by_day], rows)


@router.post("/{qrcode_id}/renew")
async def renew(
    request: Request, visitor: Editor, qrcode_id: UUID, session: SessionDep
) -> Response:
    """Let the worker ask WeChat for the code."""
    code = await store.locked(session, qrcode_id)
    if code is None:
        raise errors.NotFound
    actor, now = actor_of(request, visitor), request.app.state.clock.now()
    await store.renew_now(session, actor, code, now)
    return RedirectResponse(console_path(f"/qrcodes/{qrcode_id}?done=renewed"), SEE_OTHER)


@router.post("/{qrcode_id}/delete")
async def delete(
    request: Request, visitor: Editor, qrcode_id: UUID, session: SessionDep
) -> Response:
    """Delete a code and its figures."""
    now = request.app.state.clock.now()
    if not await store.remove(session, actor_of(request, visitor), qrcode_id, now):
        raise errors.NotFound
    return RedirectResponse(console_path("/qrcodes"), SEE_OTHER)


async def _reached(
    session: AsyncSession, code: QrCode, shown: list[date], settings: Settings
) -> list[tuple[str, int]]:
    """Return how often a scan led into a mini-program, and to a conversion."""
    question = FunnelQuery(by=DoorKind.QRCODE, door=str(code.id))
    days = DateRange(shown[0], shown[-1], settings.console_time_zone)
    found = await funnel_figures(
        session, question, days, [code.appid], settings, all_accounts=False
    )
    times = {one.step: one.times for one in found.steps}
    return [(text, times[step]) for step, text in REACHED.items()]


async def _days(
    session: AsyncSession, qrcode_id: UUID, now: datetime
) -> tuple[list[date], dict[str, list[int]]]:
    """Return the last days, and each figure of FIGURES for each of them."""
    until = now.astimezone(SHANGHAI).date()
    days = [until - timedelta(days=number) for number in reversed(range(DAYS))]
    found = {row.day: row for row in await figures_store.days(session, qrcode_id, days[0], until)}
    return days, {
        name: [getattr(found[day], name) if day in found else 0 for day in days] for name in FIGURES
    }
