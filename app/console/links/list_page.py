"""The list of links, with a form for a further one."""

from typing import Annotated, Final
from uuid import UUID

from fastapi import Form, Query, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import BaseModel, Field, ValidationError
from sqlalchemy.ext.asyncio import AsyncSession

from app.console.form_values import Blank
from app.console.links.link_state import state_of
from app.console.links.router import router
from app.console.messages import N_
from app.console.render import render
from app.console.signed_in import Editor, Viewer
from app.console.template_environment import console_path
from app.console.visitor import actor_of
from app.db.session import SessionDep
from app.links import store
from app.links.check_target import check_target
from app.links.errors import SlugTaken, TooManyLinks
from app.links.schemas import LinkIn, short_url
from app.settings import Settings

SEE_OTHER: Final = 303
PAGE_ROWS: Final = 50
MAX_TYPED: Final = 2000
# Words of the API's own checks are English alone, so each field has one sentence of its own here.
PROBLEMS: Final = {
    "slug": N_("4 to 32 letters, digits, _ and -, or nothing."),
    "name": N_("A name has 1 to 100 characters."),
    "appid": N_("Add the mini-program with its AppSecret to ACCOUNTS_FILE first."),
    "path": N_("Write the page without a slash in front and without its query."),
    "query": N_(
        "At most 1,024 characters with the UTM source, percent-encoded; the placeholders are "
        "{link} and {ref}, and parameters with {ref} may have 256 characters."
    ),
    "utm": N_("At most 100 characters."),
    "fallback_url": N_("Write an address that begins with https:// and has no blanks."),
}


class LinkForm(BaseModel):
    """A new link as typed."""

    name: str = Field(default="", max_length=MAX_TYPED)
    slug: str = Field(default="", max_length=MAX_TYPED)
    appid: str = Field(default="", max_length=MAX_TYPED)
    path: str = Field(default="", max_length=MAX_TYPED)
    query: str = Field(default="", max_length=MAX_TYPED)
    utm_source: str = Field(default="", max_length=MAX_TYPED)
    fallback_url: str = Field(default="", max_length=MAX_TYPED)

    def as_link(self) -> LinkIn:
        """Return the link. Raises ValidationError."""
        return LinkIn.model_validate(
            {
                "name": self.name.strip(),
                "slug": self.slug.strip() or None,
                "appid": self.appid,
                "path": self.path.strip(),
                "query": self.query.strip(),
                "utm": {"source": self.utm_source.strip()} if self.utm_source.strip() else None,
                "fallback_url": self.fallback_url.strip() or None,
            }
        )


@router.get("")
async def show(
    request: Request,
    _visitor: Viewer,
    session: SessionDep,
    before: Annotated[Blank[UUID], Query()] = None,
) -> Response:
    """List links, the newest first."""
    return await _list(request, session, LinkForm(), before=before)


@router.post("/add")
async def add(
    request: Request, visitor: Editor, session: SessionDep, form: Annotated[LinkForm, Form()]
) -> Response:
    """Add a link, and show it."""
    settings: Settings = request.app.state.settings
    try:
        link_in = form.as_link()
    except ValidationError as error:
        wrong = {str(problem["loc"][0]) for problem in error.errors(include_input=False)}
        return await _list(
            request, session, form, problems={name: PROBLEMS[name] for name in wrong}
        )
    problem = check_target(link_in, link_in.slug or "x" * 8, settings.accounts)
    if problem is not None:
        return await _list(request, session, form, problems={problem[0]: PROBLEMS[problem[0]]})
    try:
        link = await store.add(
            session, actor_of(request, visitor), link_in, request.app.state.clock.now()
        )
    except SlugTaken:
        problems = {"slug": N_("Another link has this ending: choose another one.")}
        return await _list(request, session, form, problems=problems)
    except TooManyLinks:
        problems = {"name": N_("There are too many links: delete one first.")}
        return await _list(request, session, form, problems=problems)
    return RedirectResponse(console_path(f"/links/{link.id}?done=added"), SEE_OTHER)


async def _list(
    request: Request,
    session: AsyncSession,
    form: LinkForm,
    *,
    before: UUID | None = None,
    problems: dict[str, str] | None = None,
) -> Response:
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
        mini_programs=[
            (appid, appid)
            for appid, account in settings.accounts.items()
            if account.kind == "mini_program" and account.appsecret is not None
        ],
        form=form,
        problems=problems or {},
    )
