"""One tag: its name, who is to have it, its runs, and its end."""

from collections.abc import Awaitable, Mapping
from typing import Annotated, Final, Literal

from fastapi import Form, Path, Query, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import ValidationError

from app.console.errors import NotFound
from app.console.followers.labels import SCENES
from app.console.form_values import Blank
from app.console.messages import N_
from app.console.refusal import Refusal
from app.console.render import render
from app.console.signed_in import Editor, Viewer
from app.console.tags.failure import failure_of
from app.console.tags.list_page import SEE_OTHER, Typed, account_of, changer_of
from app.console.tags.people_form import ACTIONS, NOBODY, WHO, PeopleForm, WrongPeople
from app.console.tags.router import router
from app.console.tags.tag_labels import ACTIONS as RUN_ACTIONS
from app.console.tags.tag_labels import NAME, STATES, TOO_MANY_RUNS
from app.console.template_environment import console_path
from app.console.visitor import actor_of
from app.db.engine import Database
from app.db.session import SessionDep
from app.tags import people, run_store, store
from app.tags.errors import TagError, TooManyRuns, UnknownTag
from app.tags.models import Tag
from app.tags.schemas import MAX_TAG_ID, TagName
from app.wechat.errors import ApiError

RUNS_SHOWN: Final = 20
DONE: Final = {"renamed": N_("The tag has another name.")}
TagNumber = Annotated[int, Path(ge=0, le=MAX_TAG_ID)]


@router.get("/{appid}/{tag_id}")
async def show_tag(
    request: Request,
    _visitor: Viewer,
    appid: str,
    tag_id: TagNumber,
    done: Annotated[Blank[Literal["renamed"]], Query()] = None,
) -> Response:
    """Show a tag."""
    return await _show(request, appid, tag_id, done=None if done is None else DONE[done])


@router.post("/{appid}/{tag_id}/rename")
async def rename(
    request: Request, visitor: Editor, appid: str, tag_id: TagNumber, name: Typed = ""
) -> Response:
    """Give the tag another name at WeChat."""
    try:
        wanted = TagName(name=name)
    except ValidationError:
        return await _show(request, appid, tag_id, problems={"name": NAME})
    account = account_of(request, appid)
    changing = changer_of(request).rename(actor_of(request, visitor), account, tag_id, wanted.name)
    done = f"/tags/{account}/{tag_id}?done=renamed"
    return await _changed(request, appid, tag_id, changing, done)


@router.post("/{appid}/{tag_id}/delete")
async def delete(request: Request, visitor: Editor, appid: str, tag_id: TagNumber) -> Response:
    """Delete the tag at WeChat."""
    account = account_of(request, appid)
    changing = changer_of(request).delete(actor_of(request, visitor), account, tag_id)
    return await _changed(request, appid, tag_id, changing, f"/tags?appid={account}&done=deleted")


@router.post("/{appid}/{tag_id}/people")
async def tag_people(
    request: Request,
    visitor: Editor,
    session: SessionDep,
    appid: str,
    tag_id: TagNumber,
    form: Annotated[PeopleForm, Form()],
    step: Annotated[str, Form(max_length=20)] = "start",
) -> Response:
    """Count who matches, or start the run and show it."""
    account, now = account_of(request, appid), request.app.state.clock.now()
    try:
        wanted = form.read(now)
        if step == "count" and wanted.filter is not None:
            count = await people.count(session, account, wanted.filter)
            await session.commit()
            return await _show(request, account, tag_id, form=form, count=count)
        async with session.begin_nested():
            started = await run_store.start(
                session, actor_of(request, visitor), account, tag_id, wanted, now
            )
            if started.run.total == 0:
                raise WrongPeople({"ids": NOBODY})
    except UnknownTag:
        raise NotFound from None
    except (WrongPeople, TooManyRuns) as error:
        problems = error.problems if isinstance(error, WrongPeople) else {"who": TOO_MANY_RUNS}
        await session.rollback()
        return await _show(request, account, tag_id, form=form, problems=problems)
    unknown = f"?unknown={len(started.unknown)}" if started.unknown else ""
    return RedirectResponse(console_path(f"/tags/runs/{started.run.id}{unknown}"), SEE_OTHER)


async def _changed(
    request: Request, appid: str, tag_id: int, changing: Awaitable[None], done: str
) -> Response:
    try:
        await changing
    except (ApiError, TagError) as error:
        return await _show(request, appid, tag_id, failure=failure_of(request, error))
    return RedirectResponse(console_path(done), SEE_OTHER)


async def _show(
    request: Request,
    appid: str,
    tag_id: int,
    *,
    done: str | None = None,
    form: PeopleForm | None = None,
    count: int | None = None,
    problems: Mapping[str, str] | None = None,
    failure: Refusal | None = None,
) -> Response:
    account = account_of(request, appid)
    database: Database = request.app.state.database
    async with database.sessions.begin() as session:
        tag = await session.get(Tag, (account, tag_id))
        if tag is None:
            raise NotFound
        known = (await store.known_people(session, account)).get(tag_id, 0)
        runs = await run_store.page(
            session, appid=account, before=None, limit=RUNS_SHOWN, tag_id=tag_id
        )
    return render(
        request,
        "tags/tag.html",
        status=422 if problems or failure is not None else 200,
        tag=tag,
        known=known,
        is_own=tag_id not in store.SYSTEM_TAGS,
        runs=runs,
        names={tag_id: tag.name},
        run_actions=RUN_ACTIONS,
        states=STATES,
        scenes=SCENES,
        actions=ACTIONS,
        who=WHO,
        form=form or PeopleForm(),
        count=count,
        problems=problems or {},
        failure=failure,
        done=done,
    )
