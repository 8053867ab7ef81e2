"""Changes a link, unless somebody else has changed it meanwhile."""

from collections.abc import Mapping
from typing import Annotated, Final, NamedTuple
from uuid import UUID

from fastapi import Form, Request, Response
from fastapi.responses import RedirectResponse

from app.console.errors import NotFound
from app.console.links.link_form import SLUG_IS_TAKEN, LinkForm, mini_programs
from app.console.links.list_page import show_list
from app.console.links.router import router
from app.console.messages import N_
from app.console.render import render
from app.console.signed_in import Editor
from app.console.template_environment import console_path
from app.console.visitor import actor_of
from app.db.session import SessionDep
from app.links import store
from app.links.errors import SlugTaken
from app.links.models import Link

SEE_OTHER: Final = 303
MAX_REVISION: Final = 2**63 - 1
DELETED: Final = N_("Somebody has deleted this link meanwhile. Adding makes a new one of it.")
FIELDS: Final = {
    "name": N_("Name"),
    "appid": N_("Mini-program"),
    "path": N_("Page"),
    "query": N_("Query of the page"),
    "utm_source": N_("UTM source"),
    "slug": N_("Ending of the address"),
    "fallback_url": N_("Fall-back address"),
}


class Difference(NamedTuple):
    """A field in which the stored link and the form differ."""

    label: str
    theirs: str
    mine: str


@router.get("/{link_id}/edit")
async def show_edit(
    request: Request, _visitor: Editor, session: SessionDep, link_id: UUID
) -> Response:
    """Show the form of a link."""
    link = await session.get(Link, link_id)
    if link is None:
        raise NotFound
    return _form(request, link_id, LinkForm.of(link), link.revision)


@router.post("/{link_id}/edit")
async def edit(
    request: Request,
    visitor: Editor,
    session: SessionDep,
    link_id: UUID,
    form: Annotated[LinkForm, Form()],
    revision: Annotated[int, Form(ge=0, le=MAX_REVISION)] = 0,
) -> Response:
    """Replace the fields of a link. revision: the one that the form was filled from."""
    link = await store.locked(session, link_id)
    if link is None:
        return await show_list(request, session, form, problems={"name": DELETED})
    if link.revision != revision:
        return _newer(request, link, form)
    link_in, problems = form.read(request.app.state.settings, link)
    if link_in is None:
        return _form(request, link_id, form, revision, problems=problems)
    actor, now = actor_of(request, visitor), request.app.state.clock.now()
    try:
        await store.replace(session, actor, link, link_in, now)
    except SlugTaken:
        return _form(request, link_id, form, revision, problems={"slug": SLUG_IS_TAKEN})
    return RedirectResponse(console_path(f"/links/{link_id}?done=changed"), SEE_OTHER)


def _newer(request: Request, link: Link, form: LinkForm) -> Response:
    """Show the newer revision beside what was typed; saving again replaces that one knowingly."""
    theirs, mine = LinkForm.of(link), form
    newer = [
        Difference(label, getattr(theirs, name), getattr(mine, name))
        for name, label in FIELDS.items()
        if getattr(theirs, name) != getattr(mine, name)
    ]
    return _form(request, link.id, form, link.revision, newer=newer, status=409)


def _form(
    request: Request,
    link_id: UUID,
    form: LinkForm,
    revision: int,
    *,
    problems: Mapping[str, str] | None = None,
    newer: list[Difference] | None = None,
    status: int = 200,
) -> Response:
    return render(
        request,
        "links/edit.html",
        status=422 if problems else status,
        link_id=link_id,
        form=form,
        revision=revision,
        problems=problems or {},
        newer=newer,
        mini_programs=mini_programs(request.app.state.settings),
    )
