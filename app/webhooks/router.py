"""`/api/webhooks`: the endpoints that get follow, subscription and identity events."""

from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Body, HTTPException, Request

from app.access.caller import actor_of
from app.access.scopes import ApiScope, needs
from app.api_errors import Detail
from app.api_route import BoundedRoute
from app.clock import Clock
from app.db.session import SessionDep
from app.http_client.url_policy import BadUrl
from app.read_only import require_unchanged
from app.secret_box import SecretBox, webhook_secret_box
from app.settings import Settings
from app.webhooks import examples, secret_rotation, store
from app.webhooks.endpoint_url import check_endpoint_url
from app.webhooks.http_errors import UNKNOWN, unknown, unprocessable
from app.webhooks.models import Webhook
from app.webhooks.schemas import (
    NewWebhook,
    WebhookId,
    WebhookIn,
    WebhookList,
    WebhookOut,
    WebhookReplacement,
)
from app.webhooks.secret_rotation import Rotation

_TOO_MANY: dict[int | str, dict[str, Any]] = {
    409: {
        "model": Detail,
        "description": f"There are {store.MAX_WEBHOOKS} webhooks, which is the limit",
    }
}

router = APIRouter(prefix="/api/webhooks", tags=["webhooks"], route_class=BoundedRoute)


@router.get("", openapi_extra=needs(ApiScope.WEBHOOKS_WRITE))
async def list_webhooks(session: SessionDep) -> WebhookList:
    """List every webhook, the oldest first."""
    rows = await store.all_webhooks(session)
    return WebhookList(items=[WebhookOut.model_validate(row) for row in rows])


@router.post(
    "",
    status_code=201,
    responses=_TOO_MANY,
    openapi_extra=needs(ApiScope.WEBHOOKS_WRITE),
)
async def add_webhook(
    webhook: Annotated[WebhookIn, Body(openapi_examples=examples.WEBHOOKS)],
    request: Request,
    session: SessionDep,
) -> NewWebhook:
    """Add a webhook for events from now on. Only this response shows the secret."""
    _check_url(webhook.url, request)
    added = await store.add(
        session, actor_of(request), webhook, _box(request), _clock(request).now()
    )
    if added is None:
        raise HTTPException(409, f"there are {store.MAX_WEBHOOKS} webhooks: delete one first")
    return NewWebhook.of(*added)


@router.get("/{webhook_id}", responses=UNKNOWN, openapi_extra=needs(ApiScope.WEBHOOKS_WRITE))
async def get_webhook(webhook_id: WebhookId, session: SessionDep) -> WebhookOut:
    """Read a webhook and its state."""
    found = await session.get(Webhook, webhook_id)
    if found is None:
        raise unknown(webhook_id)
    return WebhookOut.model_validate(found)


@router.put("/{webhook_id}", responses=UNKNOWN, openapi_extra=needs(ApiScope.WEBHOOKS_WRITE))
async def replace_webhook(
    webhook_id: WebhookId,
    webhook: Annotated[WebhookReplacement, Body(openapi_examples=examples.WEBHOOKS)],
    request: Request,
    session: SessionDep,
) -> WebhookOut:
    """Replace all fields of a webhook by those of a body, which may be what `GET` returned.

    `id` and `created_at` can't be changed; the other members that only the service sets are
    ignored. If the webhook is switched on again, it gets the missed events.
    """
    _check_url(webhook.url, request)
    replaced = await store.replace(
        session, actor_of(request), webhook_id, webhook, _clock(request).now()
    )
    if replaced is None:
        raise unknown(webhook_id)
    require_unchanged(webhook, replaced, "id", "created_at")
    return WebhookOut.model_validate(replaced)


@router.delete(
    "/{webhook_id}",
    status_code=204,
    responses=UNKNOWN,
    openapi_extra=needs(ApiScope.WEBHOOKS_WRITE),
)
async def delete_webhook(webhook_id: WebhookId, request: Request, session: SessionDep) -> None:
    """Delete a webhook. Events that were not sent yet are not sent to it any more."""
    if not await store.remove(session, actor_of(request), webhook_id, _clock(request).now()):
        raise unknown(webhook_id)


@router.post(
    "/{webhook_id}/secret",
    responses=UNKNOWN,
    openapi_extra=needs(ApiScope.WEBHOOKS_WRITE),
)
async def rotate_secret(
    webhook_id: WebhookId,
    rotation: Annotated[Rotation, Body(openapi_examples=examples.ROTATIONS)],
    request: Request,
    session: SessionDep,
) -> NewWebhook:
    """Make a new secret; only this response shows it. Both secrets sign during the overlap."""
    overlap = timedelta(hours=rotation.overlap_hours)
    rotated = await secret_rotation.rotate(
        session, actor_of(request), webhook_id, overlap, _box(request), _clock(request).now()
    )
    if rotated is None:
        raise unknown(webhook_id)
    return NewWebhook.of(*rotated)


def _check_url(url: str, request: Request) -> None:
    try:
        check_endpoint_url(url, request.app.state.settings)
    except BadUrl as error:
        raise unprocessable("url", str(error)) from None


def _box(request: Request) -> SecretBox:
    settings: Settings = request.app.state.settings
    return webhook_secret_box(settings)


def _clock(request: Request) -> Clock:
    clock: Clock = request.app.state.clock
    return clock
