"""Sends events of the past again: first from where and how many, then as the worker does it."""

from datetime import datetime
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import BaseModel, Field
from sqlalchemy.ext.asyncio import AsyncSession

from app.console.errors import NotFound
from app.console.form_values import Blank
from app.console.messages import N_
from app.console.render import render, zone_of
from app.console.signed_in import Editor
from app.console.template_environment import console_path
from app.console.visitor import actor_of
from app.console.webhooks.one_page import read
from app.db.session import SessionDep
from app.settings import Settings
from app.webhooks import delivery_store, state_store, store
from app.webhooks.models import Webhook
from app.webhooks.schemas import MAX_POSITION
from app.webhooks.signing import MESSAGE_PREFIX

router = APIRouter(prefix="/{webhook_id}/replay")

SEE_OTHER: Final = 303
_NO_EVENT: Final = N_("No event has happened since then.")
_NOT_KNOWN: Final = N_(
    "This is neither the id of an event, nor that of a delivery of this webhook, nor a cursor."
)
_AHEAD: Final = N_("This was not sent yet: choose something earlier.")


class ReplayQuery(BaseModel):
    """From where: a time in the zone of the pages, or an id; neither: the form alone is shown."""

    since: Blank[datetime] = None
    id: Blank[str] = Field(default=None, max_length=100)


class _Problem(ValueError):
    """It can't be replayed from there. The text is a message."""


@router.get("")
async def ask(
    request: Request,
    _visitor: Editor,
    session: SessionDep,
    webhook_id: UUID,
    query: Annotated[ReplayQuery, Query()],
) -> Response:
    """Say how many events would be sent again."""
    webhook = await read(session, webhook_id)
    start, problem = None, None
    try:
        start = await _start(request, session, webhook, query)
    except _Problem as error:
        problem = str(error)
    count = None if start is None else await state_store.count_replayed(session, webhook, start)
    return render(
        request,
        "webhooks/replay.html",
        status=422 if problem else 200,
        webhook=webhook,
        query=query,
        start=start,
        count=count,
        problem=problem,
    )


@router.post("")
async def replay(
    request: Request,
    visitor: Editor,
    session: SessionDep,
    webhook_id: UUID,
    start: Annotated[int, Form(ge=1, le=MAX_POSITION)],
) -> Response:
    """Send the events again. The same form sent twice sends them from there once more."""
    webhook = await store.locked(session, webhook_id)
    if webhook is None:
        raise NotFound
    if start > webhook.cursor:
        # Another replay goes on from an earlier event: the page says so.
        again = console_path(f"/webhooks/{webhook_id}/replay?id={start}")
        return RedirectResponse(again, SEE_OTHER)
    now = request.app.state.clock.now()
    await delivery_store.replay(session, actor_of(request, visitor), webhook, start, now)
    return RedirectResponse(console_path(f"/webhooks/{webhook_id}?done=replay"), SEE_OTHER)


async def _start(
    request: Request, session: AsyncSession, webhook: Webhook, query: ReplayQuery
) -> int | None:
    """Return the position of the first event; None if nothing was chosen. Raises _Problem."""
    start = await _position(request, session, webhook, query)
    if start is not None and start > webhook.cursor:
        raise _Problem(_AHEAD)
    return start


async def _position(
    request: Request, session: AsyncSession, webhook: Webhook, query: ReplayQuery
) -> int | None:
    settings: Settings = request.app.state.settings
    if query.id is not None:
        return await _position_of_id(session, webhook, query.id.strip())
    if query.since is None:
        return None
    since = query.since
    if since.tzinfo is None:
        since = since.replace(tzinfo=zone_of(request))
    found = await state_store.position_of_time(session, webhook, list(settings.accounts), since)
    if found is None:
        raise _Problem(_NO_EVENT)
    return found


async def _position_of_id(session: AsyncSession, webhook: Webhook, wanted: str) -> int:
    if wanted.isascii() and wanted.isdigit() and 1 <= int(wanted) <= MAX_POSITION:
        return int(wanted)
    try:
        id_ = UUID(wanted.removeprefix(MESSAGE_PREFIX))
        found = await state_store.position_of_id(session, webhook.id, id_)
    except ValueError:
        found = None
    if found is None:
        raise _Problem(_NOT_KNOWN)
    return found
