"""The list of webhooks, the oldest first, with how far each is."""

from typing import Annotated, Final, Literal

from fastapi import APIRouter, Query, Request, Response

from app.access.roles import Role
from app.console.form_values import Blank
from app.console.messages import N_
from app.console.render import render
from app.console.signed_in import Viewer
from app.console.webhooks import labels
from app.console.webhooks.shown_url import shown_url
from app.db.session import SessionDep
from app.webhooks import state_store, store

router = APIRouter()

DONE: Final = {"deleted": N_("The webhook is deleted.")}


@router.get("")
async def show(
    request: Request,
    visitor: Viewer,
    session: SessionDep,
    done: Annotated[Blank[Literal["deleted"]], Query()] = None,
) -> Response:
    """Show every webhook."""
    webhooks = await store.all_webhooks(session)
    progress = await state_store.progress(session, [one.id for one in webhooks])
    return render(
        request,
        "webhooks/index.html",
        rows=[
            (one, shown_url(one.url, visitor.role), labels.state_of(one), progress[one.id])
            for one in webhooks
        ],
        notice=None if done is None else DONE[done],
        may_edit=visitor.role.allows(Role.EDITOR),
        editor=Role.EDITOR,
        most=state_store.MAX_COUNTED,
        texts=labels,
    )
