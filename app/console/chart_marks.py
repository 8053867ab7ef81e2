"""The marks of charts by day: what happened, in the words of the page."""

from collections.abc import Mapping, Sequence
from datetime import datetime, tzinfo
from typing import Final
from zoneinfo import ZoneInfo

from fastapi import Request
from sqlalchemy.ext.asyncio import AsyncSession

from app.chart_notes.marks import Mark, MarkKind, Span
from app.chart_notes.sources import read_marks
from app.console.charts import ChartMark
from app.console.language import language_of
from app.console.messages import N_, Messages
from app.stats.date_range import DateRange

TEXTS: Final[Mapping[MarkKind, str]] = {
    MarkKind.RULES: N_("%(time)s: rules changed: %(count)s"),
    MarkKind.MENU: N_("%(time)s: menu version %(count)s published"),
    MarkKind.CAMPAIGN: N_("%(time)s: campaign %(text)s began, until %(until)s"),
    MarkKind.SILENCE: N_("%(time)s: no push came, until %(until)s"),
    MarkKind.CALLS_WAIT: N_(
        "%(time)s: WeChat refuses or does not answer %(text)s, and the calls wait until %(until)s"
    ),
    MarkKind.DOCTOR: N_("%(time)s: the doctor finds a fault until %(until)s: %(text)s"),
    MarkKind.NOTE: N_("Note:"),
}
TIMED_NOTE: Final = N_("%(time)s: note:")
NOT_OVER: Final = N_("now")
PAGES: Final[Mapping[MarkKind, str]] = {
    MarkKind.RULES: "/rules",
    MarkKind.MENU: "/menus",
    MarkKind.CAMPAIGN: "/campaigns",
    MarkKind.CALLS_WAIT: "/doctor",
    MarkKind.DOCTOR: "/doctor",
    MarkKind.NOTE: "/figures/notes",
}


async def marks_of(
    request: Request, session: AsyncSession, appids: Sequence[str], days: DateRange
) -> list[ChartMark]:
    """Return what happened to these accounts on the days of a chart, by time."""
    found = await read_marks(session, Span(appids, days))
    messages, zone = Messages(language_of(request)), ZoneInfo(days.time_zone)
    return [
        ChartMark(
            mark.day.isoformat(),
            _text(mark, messages, zone),
            mark.text or "" if mark.kind is MarkKind.NOTE else "",
            PAGES.get(mark.kind, ""),
        )
        for mark in found
    ]


def _text(mark: Mark, messages: Messages, zone: tzinfo) -> str:
    if mark.kind is MarkKind.NOTE:
        if mark.at is None:
            return messages.text(TEXTS[MarkKind.NOTE])
        return messages.text(TIMED_NOTE, time=_clock(mark.at, zone))
    until = messages.text(NOT_OVER) if mark.until is None else _time(mark.until, zone)
    values = {"count": mark.count, "text": mark.text, "until": until}
    time = "" if mark.at is None else _clock(mark.at, zone)
    return messages.text(TEXTS[mark.kind], time=time, **values)


def _clock(at: datetime, zone: tzinfo) -> str:
    return at.astimezone(zone).strftime("%H:%M")


def _time(at: datetime, zone: tzinfo) -> str:
    return at.astimezone(zone).strftime("%Y-%m-%d %H:%M")
