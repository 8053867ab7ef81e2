"""What an editor does with one webhook: switch it, give it a new secret, delete it."""

from datetime import timedelta
from typing import Annotated, Final, Literal
from uuid import UUID

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy.ext.asyncio import AsyncSession

from app.access.sessions import SignedIn
from app.console.errors import NotFound
from app.console.render import render
from app.console.signed_in import Editor
from app.console.template_environment import console_path
from app.console.visitor import actor_of
from app.console.webhooks.form import webhook_in_of
from app.console.webhooks.one_page import OneQuery, read, show_webhook
from app.console.webhooks.shown_url import confirmation_of
from app.db.session import SessionDep
from app.secret_box import webhook_secret_box
from app.webhooks import secret_rotation, store

router = APIRouter(prefix="/{webhook_id}")

SEE_OTHER: Final = 303


@router.post("/enable")
async def enable(
    request: Request, visitor: Editor, session: SessionDep, webhook_id: UUID
) -> Response:
    """Switch a webhook on; its failures are forgotten."""
    return await _switch(request, visitor, session, webhook_id, enabled=True)


@router.post("/disable")
async def disable(
    request: Request, visitor: Editor, session: SessionDep, webhook_id: UUID
) -> Response:
    """Switch a webhook off."""
    return await _switch(request, visitor, session, webhook_id, enabled=False)


@router.post("/secret")
async def rotate_secret(
    request: Request,
    visitor: Editor,
    session: SessionDep,
    webhook_id: UUID,
    overlap: Annotated[Literal["0", "24", "168"], Form()] = "24",
) -> Response:
    """Make a new secret, and show it once."""
    state = request.app.state
    rotated = await secret_rotation.rotate(
        session,
        actor_of(request, visitor),
        webhook_id,
        timedelta(hours=int(overlap)),
        webhook_secret_box(state.settings),
        state.clock.now(),
    )
    if rotated is None:
        raise NotFound
    webhook, secret = rotated
    return render(request, "webhooks/secret.html", webhook=webhook, secret=secret, is_new=False)


@router.post("/delete")
async def delete(
    request: Request,
    visitor: Editor,
    session: SessionDep,
    webhook_id: UUID,
    confirmation: Annotated[str, Form(max_length=3000)] = "",
) -> Response:
    """Delete a webhook whose host was typed."""
    webhook = await read(session, webhook_id)
    if confirmation.strip() != confirmation_of(webhook.url):
        query = OneQuery(done="unconfirmed")
        return await show_webhook(request, visitor, session, webhook_id, query, status=422)
    now = request.app.state.clock.now()
    await store.remove(session, actor_of(request, visitor), webhook_id, now)
    return RedirectResponse(console_path("/webhooks?done=deleted"), SEE_OTHER)


async def _switch(
    request: Request, visitor: SignedIn, session: AsyncSession, webhook_id: UUID, *, enabled: bool
) -> Response:
    webhook = await store.locked(session, webhook_id)
    if webhook is None:
        raise NotFound
    switched = webhook_in_of(webhook, enabled=enabled)
    now = request.app.state.clock.now()
    await store.replace(session, actor_of(request, visitor), webhook_id, switched, now)
    done = "enabled" if enabled else "disabled"
    return RedirectResponse(console_path(f"/webhooks/{webhook_id}?done={done}"), SEE_OTHER)
