"""Shows at a glance whether all is well, the figures of today, and what waits for somebody."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from fastapi import APIRouter, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from app.callback import arrivals
from app.callback.message_store import CLOCK_SLACK
from app.console import doctor_labels
from app.console.chart_csv import chart_csv
from app.console.charts import Chart, Series, line_chart
from app.console.findings import shown
from app.console.language import language_of
from app.console.messages import N_, translations
from app.console.render import render, zone_of
from app.console.section import Section
from app.console.signed_in import Viewer
from app.db.engine import Database
from app.db.session import SessionDep
from app.doctor.doctor import Doctor
from app.doctor.finding import verdict
from app.events.models import FollowAction
from app.notices import audience_store
from app.privacy import store as erasures
from app.replies import counts as replies
from app.stats import follow_counts
from app.webhooks import store as webhooks

MINUTES: Final = 60
MAX_ERASURES: Final = 100
# No send window is longer than two days; what failed before can't be sent again.
FAILED_FOR: Final = timedelta(days=2)

router = APIRouter()

SECTION: Final = Section("/today", N_("Today"), "t", router)

_RECEIVED: Final = N_("Messages and events")
_SENT: Final = N_("Replies sent")


@dataclass(frozen=True, slots=True)
class Figure:
    """A key figure. until_now: of yesterday, until the time that it is today."""

    label: str
    today: int
    until_now: int
    yesterday: int
    day_before: int


# No SessionDep: the doctor has connections of its own.
@router.get("")
async def show(request: Request, _visitor: Viewer) -> Response:
    """Show the day so far."""
    state = request.app.state
    doctor: Doctor = state.doctor
    database: Database = state.database
    now: datetime = state.clock.now()
    findings = await doctor.recent_findings()
    midnight = now.astimezone(zone_of(request)).replace(hour=0, minute=0, second=0, microsecond=0)
    async with database.sessions() as session:
        figures = await _figures(session, list(state.settings.accounts), midnight, now)
        since = _hour_before(now)
        received = await arrivals.by_minute(session, since)
        sent = await replies.sent_by_minute(session, since)
        failed = await replies.failed(session, now - FAILED_FOR)
        query = erasures.ErasureQuery(None, MAX_ERASURES, needs_person=True)
        unclear = len(await erasures.page(session, query))
        paused = await audience_store.paused(session)
        disabled = [hook for hook in await webhooks.all_webhooks(session) if hook.disabled_reason]
    return render(
        request,
        "today/index.html",
        verdict=verdict(findings),
        findings=[one for one in shown(findings, language_of(request)) if one.needs_action],
        texts=doctor_labels,
        figures=figures,
        chart=_chart(request, since, received, sent),
        is_quiet=not received and not sent,
        failed=failed,
        unclear=unclear,
        disabled=len(disabled),
        paused=paused,
        accounts=len(state.settings.accounts),
    )


@router.get("/export.csv")
async def export(request: Request, _visitor: Viewer, session: SessionDep) -> Response:
    """Send the messages and replies of the last hour as a file."""
    since = _hour_before(request.app.state.clock.now())
    received = await arrivals.by_minute(session, since)
    sent = await replies.sent_by_minute(session, since)
    zone = zone_of(request)
    rows = [
        (f"{minute.astimezone(zone):%H:%M}", received.get(minute, 0), sent.get(minute, 0))
        for minute in _minutes(since)
    ]
    return await chart_csv("last-hour", ("minute", "received", "sent"), rows)


def _hour_before(now: datetime) -> datetime:
    return now.replace(second=0, microsecond=0) - timedelta(minutes=MINUTES - 1)


def _minutes(since: datetime) -> list[datetime]:
    return [since + timedelta(minutes=number) for number in range(MINUTES)]


async def _figures(
    session: AsyncSession, appids: list[str], midnight: datetime, now: datetime
) -> list[Figure]:
    """Return the figures of today, yesterday and the day before."""
    day = timedelta(days=1)
    spans = (
        # Nothing comes from the future, but a clock of another process may be ahead.
        (midnight, now + CLOCK_SLACK),
        (midnight - day, now - day),
        (midnight - day, midnight),
        (midnight - 2 * day, midnight - day),
    )
    counts: dict[str, Callable[..., Awaitable[int]]] = {
        _RECEIVED: partial(arrivals.count, session),
        _SENT: partial(replies.sent, session),
        N_("Follows"): partial(follow_counts.count, session, appids, FollowAction.FOLLOW),
        N_("Unfollows"): partial(follow_counts.count, session, appids, FollowAction.UNFOLLOW),
    }
    return [
        Figure(label, *[await count(*span) for span in spans]) for label, count in counts.items()
    ]


def _chart(
    request: Request,
    since: datetime,
    received: Mapping[datetime, int],
    sent: Mapping[datetime, int],
) -> Chart:
    minutes = _minutes(since)
    zone = zone_of(request)
    translate = translations(language_of(request)).gettext
    return line_chart(
        [f"{minute.astimezone(zone):%H:%M}" for minute in minutes],
        [
            Series(translate(_RECEIVED), [received.get(minute, 0) for minute in minutes]),
            Series(translate(_SENT), [sent.get(minute, 0) for minute in minutes]),
        ],
    )
