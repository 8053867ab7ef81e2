"""Shows the messages as they arrive, with filters, and what is masked in them."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Header, Query, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from app.access import audit
from app.access.actions import Action
from app.access.actor import Subject, SubjectKind
from app.access.roles import Role
from app.callback import message_store
from app.callback.message_filter import Fate, MessageRow, Reached
from app.console.errors import NotFound
from app.console.funnel.labels import STEPS
from app.console.language import language_of
from app.console.live_list import live_response
from app.console.message_pages import labels
from app.console.message_pages.feed import by_day, live_messages, missed_since
from app.console.message_pages.query import MessageFilters, MessageQuery
from app.console.render import render, zone_of
from app.console.signed_in import Viewer
from app.console.template_environment import environment
from app.console.visitor import actor_of
from app.db.session import SessionDep
from app.first_id import first_id
from app.funnel.erased_count import erased_times
from app.funnel.steps import Step, basis_of

router = APIRouter()

PAGE_ROWS: Final = 50


@router.get("")
async def show(
    request: Request, _visitor: Viewer, query: Annotated[MessageQuery, Query()], session: SessionDep
) -> Response:
    """Show a page of messages, the newest first, with texts and OpenIDs masked."""
    return render(request, "messages/index.html", **await _values(request, query, session))


@router.post("/shown")
async def show_texts(
    request: Request, visitor: Viewer, query: Annotated[MessageQuery, Query()], session: SessionDep
) -> Response:
    """Show the same page with its texts, and write that down."""
    values = await _values(request, query, session)
    count = sum(len(day.rows) for day in values["days"])
    await audit.record(
        session,
        actor_of(request, visitor),
        Action.MESSAGE_SHOWN,
        Subject(SubjectKind.MESSAGES, "text"),
        now=request.app.state.clock.now(),
        count=count,
    )
    return render(request, "messages/index.html", **values | {"shown": True})


@router.get("/stream")
async def stream(
    request: Request,
    _visitor: Viewer,
    filters: Annotated[MessageFilters, Query()],
    after: UUID | None = None,
    last_event_id: Annotated[UUID | None, Header()] = None,
) -> Response:
    """Send what arrives, to one browser. after: an id from about when its page was made."""
    zone = zone_of(request)
    wanted = filters.filter(basis_of(request.app.state.settings))
    language = language_of(request)
    pages = environment(language, request.app.state.settings.console_time_zone)
    template = pages.get_template("messages/rows.html")

    def write(rows: Sequence[MessageRow]) -> str:
        fitting = [row for row in rows if wanted.fits(row)]
        return template.render(days=by_day(fitting, zone), shown=False, texts=labels)

    state = request.app.state
    latest = last_event_id or after
    missed = None if latest is None else partial(missed_since, state.database, latest)
    return live_response(request, live_messages(state), write, (language, wanted), missed)


@router.post("/{callback_id}/text")
async def show_text(
    callback_id: UUID, request: Request, visitor: Viewer, session: SessionDep
) -> Response:
    """Show the text of one message."""
    return await _shown(request, visitor, session, callback_id, "text", lambda row: row.text or "")


@router.post("/{callback_id}/openid")
async def show_openid(
    callback_id: UUID, request: Request, visitor: Viewer, session: SessionDep
) -> Response:
    """Show who sent a message."""
    return await _shown(request, visitor, session, callback_id, "openid", lambda row: row.openid)


async def _shown(
    request: Request,
    visitor: Viewer,
    session: AsyncSession,
    callback_id: UUID,
    what: str,
    value_of: Callable[[MessageRow], str],
) -> Response:
    row = await message_store.of_id(session, callback_id)
    if row is None:
        raise NotFound
    await audit.record(
        session,
        actor_of(request, visitor),
        Action.MESSAGE_SHOWN,
        Subject(SubjectKind.MESSAGE, str(callback_id)),
        now=request.app.state.clock.now(),
        after=what,
    )
    return render(request, "shown.html", value=value_of(row))


async def _values(request: Request, query: MessageQuery, session: AsyncSession) -> dict[str, Any]:
    """Return what the template needs. Its blocks for htmx are `main` and `results`."""
    zone = zone_of(request)
    now = request.app.state.clock.now()
    basis = basis_of(request.app.state.settings)
    found = await message_store.page(
        session, query.filter(basis), before=query.before, limit=PAGE_ROWS
    )
    counted = query.counted_times(basis)
    is_newest = query.before is None and query.until is None
    return {
        "fragment": "results",
        "query": query,
        "days": by_day(found.rows, zone),
        "shown": False,
        "texts": labels,
        "accounts": [(appid, appid) for appid in request.app.state.settings.accounts],
        "fates": {fate.value: labels.MESSAGE_FATES[fate].label for fate in Fate},
        "steps": {step.value: STEPS[Step(step.value)] for step in Reached},
        "roles": Role,
        "is_filtered": bool(query.values()),
        "searched": found.searched,
        "erased_times": await erased_times(session, counted, basis) if counted else 0,
        "newest": query.address("/messages") if query.before else None,
        "older": query.address("/messages", before=found.next) if found.next else None,
        "live": query.address("/messages/stream", after=first_id(now)) if is_newest else None,
        "show_all": query.address("/messages/shown", before=query.before),
        "retry": query.address("/messages/retries/new"),
    }
