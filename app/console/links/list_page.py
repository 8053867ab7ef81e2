"""The list of links, with a form for a further one."""

from collections.abc import Mapping
from typing import Annotated, Final
from uuid import UUID

from fastapi import Form, Query, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy.ext.asyncio import AsyncSession

from app.console.form_values import Blank
from app.console.links.link_form import SLUG_IS_TAKEN, LinkForm, mini_programs
from app.console.links.link_state import state_of
from app.console.links.router import router
from app.console.messages import N_
from app.console.render import render
from app.console.signed_in import Editor, Viewer
from app.console.template_environment import console_path
from app.console.visitor import actor_of
from app.db.session import SessionDep
from app.links import store
from app.links.errors import SlugTaken, TooManyLinks
from app.links.schemas import short_url
from app.settings import Settings

SEE_OTHER: Final = 303
PAGE_ROWS: Final = 50


@router.get("")
async def show(
    request: Request,
    _visitor: Viewer,
    session: SessionDep,
    before: Annotated[Blank[UUID], Query()] = None,
) -> Response:
    """List links, the newest first."""
    return await show_list(request, session, LinkForm(), before=before)


@router.post("/add")
async def add(
    request: Request, visitor: Editor, session: SessionDep, form: Annotated[LinkForm, Form()]
) -> Response:
    """Add a link, and show it."""
    link_in, problems = form.read(request.app.state.settings)
    if link_in is None:
        return await show_list(request, session, form, problems=problems)
    try:
        link = await store.add(
            session, actor_of(request, visitor), link_in, request.app.state.clock.now()
        )
    except SlugTaken:
        problems = {"slug": SLUG_IS_TAKEN}
        return await show_list(request, session, form, problems=problems)
    except TooManyLinks:
        problems = {"name": N_("There are too many links: delete one first.")}
        return await show_list(request, session, form, problems=problems)
    return RedirectResponse(console_path(f"/links/{link.id}?done=added"), SEE_OTHER)


async def show_list(
    request: Request,
    session: AsyncSession,
    form: LinkForm,
    *,
    before: UUID | None = None,
    problems: Mapping[str, str] | None = None,
) -> Response:
    """Show the list, and the form as it was typed. problems: by field, to be translated."""
    settings: Settings = request.app.state.settings
    now = request.app.state.clock.now()
    found = await store.page(session, before=before, limit=PAGE_ROWS + 1)
    links = found[:PAGE_ROWS]
    return render(
        request,
        "links/index.html",
        status=422 if problems else 200,
        links=[
            (link, state_of(link, now), short_url(settings.base_url, link.slug)) for link in links
        ],
        totals=await store.totals(session, [link.id for link in links]),
        older=links[-1].id if len(found) > PAGE_ROWS else None,
        newest=before is not None,
        mini_programs=mini_programs(settings),
        form=form,
        problems=problems or {},
    )
