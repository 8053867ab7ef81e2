"""Adds a webhook, whose secret is shown once, and changes one."""

from collections.abc import Mapping
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from app.console.errors import NotFound
from app.console.language import language_of
from app.console.messages import N_, Messages
from app.console.render import render
from app.console.signed_in import Editor
from app.console.template_environment import console_path
from app.console.visitor import actor_of
from app.console.webhooks import labels
from app.console.webhooks.form import WebhookForm
from app.db.session import SessionDep
from app.secret_box import webhook_secret_box
from app.webhooks import store
from app.webhooks.event_types import Pattern
from app.webhooks.models import Webhook

router = APIRouter()

SEE_OTHER: Final = 303
_TOO_MANY: Final = N_("There are 100 webhooks, which is the most: delete one first.")


@router.get("/new")
async def show_new(request: Request, _visitor: Editor) -> Response:
    """Show the form of a new webhook."""
    return _form(request, WebhookForm(types=[Pattern.ALL], enabled="on"))


@router.post("/add")
async def add(
    request: Request, visitor: Editor, session: SessionDep, form: Annotated[WebhookForm, Form()]
) -> Response:
    """Add a webhook, and show its secret once."""
    state = request.app.state
    translate = Messages(language_of(request)).text
    webhook_in, problems = form.read(state.settings, translate)
    if webhook_in is None:
        return _form(request, form, problems)
    actor, box = actor_of(request, visitor), webhook_secret_box(state.settings)
    added = await store.add(session, actor, webhook_in, box, state.clock.now())
    if added is None:
        return _form(request, form, {"all": translate(_TOO_MANY)})
    webhook, secret = added
    return render(request, "webhooks/secret.html", webhook=webhook, secret=secret, is_new=True)


@router.get("/{webhook_id}/edit")
async def show_edit(
    request: Request, _visitor: Editor, session: SessionDep, webhook_id: UUID
) -> Response:
    """Show the form of a webhook."""
    webhook = await session.get(Webhook, webhook_id)
    if webhook is None:
        raise NotFound
    return _form(request, WebhookForm.of(webhook), webhook_id=webhook_id)


@router.post("/{webhook_id}/edit")
async def edit(
    request: Request,
    visitor: Editor,
    session: SessionDep,
    webhook_id: UUID,
    form: Annotated[WebhookForm, Form()],
) -> Response:
    """Replace all fields of a webhook."""
    state = request.app.state
    webhook_in, problems = form.read(state.settings, Messages(language_of(request)).text)
    if webhook_in is None:
        return _form(request, form, problems, webhook_id)
    actor = actor_of(request, visitor)
    if await store.replace(session, actor, webhook_id, webhook_in, state.clock.now()) is None:
        raise NotFound
    return RedirectResponse(console_path(f"/webhooks/{webhook_id}?done=saved"), SEE_OTHER)


def _form(
    request: Request,
    form: WebhookForm,
    problems: Mapping[str, str] | None = None,
    webhook_id: UUID | None = None,
) -> Response:
    return render(
        request,
        "webhooks/edit.html",
        status=422 if problems else 200,
        form=form,
        problems=problems or {},
        webhook_id=webhook_id,
        patterns=labels.PATTERNS,
    )
