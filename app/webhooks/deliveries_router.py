"""`/api/webhooks/{id}/…`: lists deliveries, replays events and sends a test."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field

from app.access.caller import actor_of
from app.access.scopes import ApiScope, needs
from app.api_route import BoundedRoute
from app.clock import Clock
from app.db.queue import enqueue
from app.db.session import SessionDep
from app.webhooks import delivery_store
from app.webhooks.http_errors import BAD_BODY, UNKNOWN, unknown, unprocessable
from app.webhooks.jobs import deliver_job
from app.webhooks.models import DeliveryStatus, Webhook
from app.webhooks.schemas import DeliveryOut, DeliveryPage, Replay, WebhookOut

MAX_PAGE_ROWS = 500

router = APIRouter(prefix="/api/webhooks", tags=["webhooks"], route_class=BoundedRoute)


class _Page(BaseModel):
    """Filters and page of the list."""

    before: UUID | None = Field(default=None, description="`next` of the page before")
    limit: int = Field(default=100, ge=1, le=MAX_PAGE_ROWS)
    status: DeliveryStatus | None = None


@router.post(
    "/{webhook_id}/replay",
    status_code=202,
    responses={**BAD_BODY, **UNKNOWN},
    openapi_extra=needs(ApiScope.WEBHOOKS_WRITE),
)
async def replay_webhook(
    webhook_id: UUID, replay: Replay, request: Request, session: SessionDep
) -> WebhookOut:
    """Send all events from a cursor on again. Each event keeps its id."""
    webhook = await _get_webhook(session, webhook_id, lock=True)
    if replay.start > webhook.cursor:
        raise unprocessable(
            "from",
            f"is ahead of what was sent: use a cursor up to {webhook.cursor}",
            replay.start,
        )
    await delivery_store.replay(session, actor_of(request), webhook, replay.start, _now(request))
    return WebhookOut.model_validate(webhook)


@router.post(
    "/{webhook_id}/test",
    status_code=202,
    responses=UNKNOWN,
    openapi_extra=needs(ApiScope.WEBHOOKS_WRITE),
)
async def test_webhook(webhook_id: UUID, request: Request, session: SessionDep) -> DeliveryOut:
    """Queue a `webhook.ping`. It is tried once, even while the webhook is switched off."""
    webhook = await _get_webhook(session, webhook_id)
    ping = await delivery_store.add_ping(session, actor_of(request), webhook, _now(request))
    await enqueue(session, [deliver_job(webhook_id)])
    return DeliveryOut.model_validate(ping)


@router.get(
    "/{webhook_id}/deliveries", responses=UNKNOWN, openapi_extra=needs(ApiScope.WEBHOOKS_WRITE)
)
async def list_deliveries(
    webhook_id: UUID, query: Annotated[_Page, Query()], session: SessionDep
) -> DeliveryPage:
    """List the deliveries of the last 30 days, the newest first."""
    await _get_webhook(session, webhook_id)
    rows = await delivery_store.deliveries(
        session,
        webhook_id,
        delivery_store.DeliveryQuery(query.before, query.limit + 1, query.status),
    )
    shown = rows[: query.limit]
    return DeliveryPage(
        items=[DeliveryOut.model_validate(row) for row in shown],
        next=shown[-1].id if len(rows) > len(shown) else None,
    )


async def _get_webhook(session: SessionDep, webhook_id: UUID, *, lock: bool = False) -> Webhook:
    found = await session.get(Webhook, webhook_id, with_for_update=lock)
    if found is None:
        raise unknown(webhook_id)
    return found


def _now(request: Request) -> datetime:
    clock: Clock = request.app.state.clock
    return clock.now()
