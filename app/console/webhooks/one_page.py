"""One webhook: its state, what it has to send, its deliveries."""

from typing import Annotated, Any, Final, Literal
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncSession

from app.access.roles import Role
from app.access.sessions import SignedIn
from app.console.errors import NotFound
from app.console.form_values import Blank
from app.console.labels import Level
from app.console.messages import N_
from app.console.render import render
from app.console.signed_in import Viewer
from app.console.webhooks import labels
from app.console.webhooks.shown_url import confirmation_of, shown_url
from app.db.session import SessionDep
from app.webhooks import delivery_store, state_store
from app.webhooks.delivery_store import DeliveryQuery
from app.webhooks.models import DeliveryStatus, Webhook

router = APIRouter()

PAGE_ROWS: Final = 50
Done = Literal["saved", "enabled", "disabled", "replay", "unconfirmed"]
DONE: Final = {
    "saved": (Level.GOOD, N_("The webhook is saved.")),
    "enabled": (Level.GOOD, N_("The webhook is on. It gets the events that it missed.")),
    "disabled": (Level.GOOD, N_("The webhook is off. Its events wait until it is on again.")),
    "replay": (Level.GOOD, N_("The events are sent again. This page shows how far it is.")),
    "unconfirmed": (Level.FAULT, N_("Nothing was deleted: type the name of the host.")),
}
# How long the present secret may sign along with a new one, in hours.
OVERLAPS: Final = {
    "24": N_("one day"),
    "168": N_("seven days"),
    "0": N_("not at all: it leaked"),
}


class OneQuery(BaseModel):
    """Filter and page of the deliveries, and what was done before."""

    status: Blank[DeliveryStatus] = None
    before: Blank[UUID] = None
    done: Blank[Done] = None

    def address(self, path: str, before: UUID | None) -> str:
        """Return the path with this filter, and with another cursor."""
        values = {"status": self.status, "before": before}
        query = urlencode({name: value for name, value in values.items() if value is not None})
        return f"{path}?{query}" if query else path


@router.get("/{webhook_id}")
async def show(
    request: Request,
    visitor: Viewer,
    session: SessionDep,
    webhook_id: UUID,
    query: Annotated[OneQuery, Query()],
) -> Response:
    """Show a webhook."""
    return await show_webhook(request, visitor, session, webhook_id, query)


@router.get("/{webhook_id}/progress")
async def show_progress(
    request: Request, visitor: Viewer, session: SessionDep, webhook_id: UUID
) -> Response:
    """Show how far a webhook is; the page reads it again while something is to be sent."""
    webhook = await read(session, webhook_id)
    return render(
        request,
        "webhooks/progress.html",
        fragment="progress",
        **await _progress(session, webhook, visitor),
    )


async def show_webhook(
    request: Request,
    visitor: SignedIn,
    session: AsyncSession,
    webhook_id: UUID,
    query: OneQuery,
    *,
    status: int = 200,
) -> Response:
    """Return the page of a webhook. Raises NotFound."""
    webhook = await read(session, webhook_id)
    found = await delivery_store.deliveries(
        session, webhook_id, DeliveryQuery(query.before, PAGE_ROWS + 1, query.status)
    )
    shown = found[:PAGE_ROWS]
    path = f"/webhooks/{webhook_id}"
    return render(
        request,
        "webhooks/webhook.html",
        fragment="results",
        status=status,
        query=query,
        path_here=path,
        notice=None if query.done is None else DONE[query.done],
        deliveries=shown,
        newest=query.address(path, None) if query.before else None,
        older=query.address(path, shown[-1].id) if len(found) > len(shown) else None,
        statuses={status.value: label.label for status, label in labels.DELIVERIES.items()},
        confirmation=confirmation_of(webhook.url),
        overlaps=OVERLAPS,
        may_edit=visitor.role.allows(Role.EDITOR),
        editor=Role.EDITOR,
        texts=labels,
        **await _progress(session, webhook, visitor),
    )


async def read(session: AsyncSession, webhook_id: UUID) -> Webhook:
    """Return a webhook. Raises NotFound."""
    webhook = await session.get(Webhook, webhook_id)
    if webhook is None:
        raise NotFound
    return webhook


async def _progress(session: AsyncSession, webhook: Webhook, visitor: SignedIn) -> dict[str, Any]:
    """Return what the template of the progress shows."""
    progress = (await state_store.progress(session, [webhook.id]))[webhook.id]
    pending = await state_store.count_pending(session, webhook)
    return {
        "webhook": webhook,
        "url": shown_url(webhook.url, visitor.role),
        "state": labels.state_of(webhook),
        "progress": progress,
        "pending": pending,
        "most": state_store.MAX_COUNTED,
        "is_sending": webhook.enabled
        and bool(pending.number or pending.may_be_more or progress.waiting),
    }
