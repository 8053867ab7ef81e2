"""Tests a webhook: a worker sends one `webhook.ping`, and the page shows what was answered."""

from typing import Final
from uuid import UUID

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from app.console.errors import NotFound
from app.console.render import render
from app.console.signed_in import Editor, Viewer
from app.console.template_environment import console_path
from app.console.visitor import actor_of
from app.console.webhooks import labels
from app.console.webhooks.one_page import read
from app.db.queue import enqueue
from app.db.session import SessionDep
from app.webhooks import delivery_store, state_store
from app.webhooks.jobs import deliver_job
from app.webhooks.models import DeliveryStatus

router = APIRouter(prefix="/{webhook_id}/test")

SEE_OTHER: Final = 303


@router.post("")
async def start(
    request: Request, visitor: Editor, session: SessionDep, webhook_id: UUID
) -> Response:
    """Let a worker send a test now, even while the webhook is off."""
    webhook = await read(session, webhook_id)
    now = request.app.state.clock.now()
    ping = await delivery_store.add_ping(session, actor_of(request, visitor), webhook, now)
    await enqueue(session, [deliver_job(webhook_id)])
    return RedirectResponse(console_path(f"/webhooks/{webhook_id}/test/{ping.id}"), SEE_OTHER)


@router.get("/{delivery_id}")
async def show(
    request: Request, _visitor: Viewer, session: SessionDep, webhook_id: UUID, delivery_id: UUID
) -> Response:
    """Show what the endpoint answered; until then the page reads it again."""
    delivery = await state_store.delivery_of(session, webhook_id, delivery_id)
    if delivery is None:
        raise NotFound
    return render(
        request,
        "webhooks/test.html",
        fragment="result",
        delivery=delivery,
        is_over=delivery.status is not DeliveryStatus.WAITING,
        path_here=f"/webhooks/{webhook_id}/test/{delivery_id}",
        texts=labels,
    )
