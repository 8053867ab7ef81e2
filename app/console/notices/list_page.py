"""The first page: what became of the notices of 30 days, sends to audiences, templates."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from typing import Annotated, Final, Literal
from uuid import UUID

from fastapi import Form, Query, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy.ext.asyncio import AsyncSession

from app.console.chart_csv import chart_csv
from app.console.chart_marks import marks_of
from app.console.charts import Chart, ChartMark, Series, line_chart
from app.console.errors import NotFound
from app.console.form_values import Blank
from app.console.language import language_of
from app.console.messages import N_, Messages
from app.console.notices.notice_labels import KINDS, REASONS, STATES, STATUSES
from app.console.notices.router import router
from app.console.refusal import Refusal
from app.console.render import render, zone_of
from app.console.signed_in import Editor, Viewer
from app.console.template_environment import console_path
from app.console.visitor import actor_of
from app.db.session import SessionDep
from app.notices import audience_store, template_store
from app.notices.accounts import can_send
from app.notices.list_templates import TemplateLister
from app.notices.models import NoticeStatus, SendSource
from app.settings import Settings
from app.stats import notice_store
from app.stats.compute import notice_reason
from app.stats.date_range import DateRange
from app.wechat.errors import ApiError
from app.wechat.ids import AppId

SEE_OTHER: Final = 303
DAYS: Final = 30
PAGE_ROWS: Final = 20
MAX_REASONS: Final = 20
CHARTED: Final = (NoticeStatus.DELIVERED, NoticeStatus.UNDELIVERED, NoticeStatus.FAILED)
FIGURES: Final = (
    NoticeStatus.SENT,
    NoticeStatus.DELIVERED,
    NoticeStatus.UNDELIVERED,
    NoticeStatus.FAILED,
    NoticeStatus.SKIPPED,
    NoticeStatus.UNKNOWN,
)
DONE: Final = {"refreshed": N_("The templates are read from WeChat.")}


@router.get("")
async def show(
    request: Request,
    _visitor: Viewer,
    session: SessionDep,
    before: Annotated[Blank[UUID], Query()] = None,
    done: Annotated[Blank[Literal["refreshed"]], Query()] = None,
) -> Response:
    """Show figures, sends and templates."""
    return await _show(request, session, before=before, done=done)


@router.get("/export.csv")
async def export(
    request: Request,
    _visitor: Viewer,
    session: SessionDep,
    by: Annotated[Literal["days", "templates", "reasons"], Query()] = "days",
) -> Response:
    """Send the figures of the same days as a file: by day, by day and template, or by reason."""
    span, accounts = _span(request), _senders(request)
    statuses = [one.value for one in NoticeStatus]
    if by == "days":
        counts = (await notice_store.read_totals(session, accounts, span)).days
        rows = [(day, *(_count(counts, day, one) for one in NoticeStatus)) for day in span.days]
        return await chart_csv("notices", ["day", *statuses], rows)
    days, reasons = await notice_store.read(session, accounts, span)
    if by == "templates":
        by_template = sorted(days, key=lambda one: (one.day, one.template_id))
        return await chart_csv(
            "notices-templates",
            ["day", "template_id", *statuses],
            [
                (one.day, one.template_id, *(one.counts.get(status, 0) for status in statuses))
                for one in by_template
            ],
        )
    return await chart_csv(
        "notices-reasons",
        ["template_id", "status", "errcode", "reason", "count"],
        [(one.template_id, one.status, one.errcode, one.reason, one.count) for one in reasons],
    )


@router.post("/refresh")
async def refresh(
    request: Request, visitor: Editor, appid: Annotated[str, Form(max_length=128)]
) -> Response:
    """Read the templates of an account from WeChat."""
    settings: Settings = request.app.state.settings
    if not can_send(settings.accounts, appid):
        raise NotFound
    lister: TemplateLister = request.app.state.template_lister
    try:
        await lister.refresh(AppId(appid), actor_of(request, visitor))
    except ApiError as error:
        async with request.app.state.database.sessions() as session:
            return await _show(request, session, refusal=Refusal.of(request, error))
    return RedirectResponse(console_path("/notices?done=refreshed"), SEE_OTHER)


async def _show(
    request: Request,
    session: AsyncSession,
    *,
    before: UUID | None = None,
    done: str | None = None,
    refusal: Refusal | None = None,
) -> Response:
    language = language_of(request)
    accounts = _senders(request)
    span = _span(request)
    counted = await notice_store.read_totals(session, accounts, span)
    marks = await marks_of(request, session, accounts, span)
    sends = await audience_store.page(
        session, source=SendSource.AUDIENCE, before=before, limit=PAGE_ROWS + 1
    )
    templates = await template_store.templates(session, accounts)
    titles = {one.template_id: one.title for one in templates}
    total = sum(counted.days.values(), Counter[str]())
    return render(
        request,
        "notices/index.html",
        status=200 if refusal is None else 502,
        accounts=accounts,
        templates=templates,
        titles=titles,
        kinds=KINDS,
        states=STATES,
        statuses=STATUSES,
        words=REASONS,
        figures=[(STATUSES[status].label, total[status.value]) for status in FIGURES],
        by_template=sorted(counted.templates.items(), key=lambda one: -one[1].total()),
        reasons=[notice_reason(one, language) for one in counted.reasons[:MAX_REASONS]],
        chart=_chart(span.days, counted.days, Messages(language).text, marks),
        sends=sends[:PAGE_ROWS],
        newest=before is not None,
        older=sends[PAGE_ROWS - 1].id if len(sends) > PAGE_ROWS else None,
        done=None if done is None else DONE[done],
        refusal=refusal,
    )


def _senders(request: Request) -> list[str]:
    settings: Settings = request.app.state.settings
    return [appid for appid in settings.accounts if can_send(settings.accounts, appid)]


def _span(request: Request) -> DateRange:
    until = request.app.state.clock.now().astimezone(zone_of(request)).date()
    settings: Settings = request.app.state.settings
    return DateRange(until - timedelta(days=DAYS - 1), until, settings.console_time_zone)


def _count(counts: Mapping[date, Counter[str]], day: date, status: NoticeStatus) -> int:
    return counts[day][status.value] if day in counts else 0


def _chart(
    days: Sequence[date],
    counts: Mapping[date, Counter[str]],
    translate: Callable[[str], str],
    marks: Sequence[ChartMark],
) -> Chart:
    return line_chart(
        [day.isoformat() for day in days],
        [
            Series(translate(STATUSES[status].label), [_count(counts, day, status) for day in days])
            for status in CHARTED
        ],
        marks,
    )
