"""The tags of an account, with a form for a further one, and the newest runs."""

from typing import Annotated, Final, Literal

from fastapi import Form, Query, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import ValidationError

from app.console.errors import NotFound
from app.console.form_values import Blank
from app.console.messages import N_
from app.console.refusal import Refusal
from app.console.render import render
from app.console.signed_in import Editor, Viewer
from app.console.tags.failure import failure_of
from app.console.tags.router import router
from app.console.tags.tag_labels import ACTIONS, NAME, STATES, TOO_MANY_RUNS
from app.console.template_environment import console_path
from app.console.visitor import actor_of
from app.db.engine import Database
from app.db.session import SessionDep
from app.tags import run_store, store
from app.tags.accounts import accounts_with_tags
from app.tags.change_tags import TagChanger
from app.tags.errors import TooManyRuns
from app.tags.schemas import TagName
from app.wechat.errors import ApiError

SEE_OTHER: Final = 303
RUNS_SHOWN: Final = 20
MAX_TYPED: Final = 200
DONE: Final = {
    "added": N_("The tag is created."),
    "deleted": N_("The tag is deleted."),
    "pulled": N_("The worker reads the tags from WeChat, and who has each."),
    "many": TOO_MANY_RUNS,
}
Done = Literal["added", "deleted", "pulled", "many"]
AppId = Annotated[str, Query(max_length=64)]
Typed = Annotated[str, Form(max_length=MAX_TYPED)]


@router.get("")
async def show(
    request: Request,
    _visitor: Viewer,
    appid: AppId = "",
    done: Annotated[Blank[Done], Query()] = None,
) -> Response:
    """Show the tags of an account."""
    return await _show(request, appid, done=done)


@router.post("/add")
async def add(request: Request, visitor: Editor, appid: Typed = "", name: Typed = "") -> Response:
    """Create a tag at WeChat."""
    account = account_of(request, appid)
    try:
        wanted = TagName(name=name)
    except ValidationError:
        return await _show(request, account, name=name, problem=NAME)
    try:
        await changer_of(request).create(actor_of(request, visitor), account, wanted.name)
    except ApiError as error:
        return await _show(request, account, name=name, failure=failure_of(request, error))
    return RedirectResponse(console_path(f"/tags?appid={account}&done=added"), SEE_OTHER)


@router.post("/pull")
async def pull(
    request: Request, visitor: Editor, session: SessionDep, appid: Typed = ""
) -> Response:
    """Let the worker read the tags from WeChat, and who has each."""
    account, done = account_of(request, appid), "pulled"
    try:
        await run_store.start_pull(
            session, actor_of(request, visitor), account, request.app.state.clock.now()
        )
    except TooManyRuns:
        done = "many"
    return RedirectResponse(console_path(f"/tags?appid={account}&done={done}"), SEE_OTHER)


async def _show(
    request: Request,
    appid: str,
    *,
    done: Done | None = None,
    name: str = "",
    problem: str | None = None,
    failure: Refusal | None = None,
) -> Response:
    accounts = accounts_with_tags(request.app.state.settings)
    account = account_of(request, appid) if accounts else ""
    database: Database = request.app.state.database
    async with database.sessions.begin() as session:
        tags = await store.of_account(session, account)
        known = await store.known_people(session, account)
        runs = await run_store.page(session, appid=account, before=None, limit=RUNS_SHOWN)
    return render(
        request,
        "tags/index.html",
        status=422 if problem is not None or failure is not None else 200,
        accounts=accounts,
        appid=account,
        tags=[(tag, known.get(tag.tag_id, 0)) for tag in tags],
        names={tag.tag_id: tag.name for tag in tags},
        runs=runs,
        actions=ACTIONS,
        states=STATES,
        done=None if done is None else DONE[done],
        failed=done == "many",
        name=name,
        problem=problem,
        failure=failure,
    )


def account_of(request: Request, appid: str) -> str:
    """Return the account that a page is about; the first without one. Raises NotFound."""
    accounts = accounts_with_tags(request.app.state.settings)
    if appid and appid not in accounts:
        raise NotFound
    if not accounts:
        raise NotFound
    return appid or accounts[0]


def changer_of(request: Request) -> TagChanger:
    """Return what changes tags at WeChat."""
    changer: TagChanger = request.app.state.tag_changer
    return changer
