"""One run: how far it is, whom WeChat refused, and its stop."""

from typing import Annotated, Final
from uuid import UUID

from fastapi import Query, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy.ext.asyncio import AsyncSession

from app.console.errors import NotFound
from app.console.followers.labels import SCENES
from app.console.followers.references import references, tail
from app.console.language import language_of
from app.console.render import render
from app.console.signed_in import Editor, Viewer
from app.console.tags.router import router
from app.console.tags.tag_labels import ACTIONS, FILTERS, STATES
from app.console.template_environment import console_path
from app.console.visitor import actor_of
from app.db.session import SessionDep
from app.tags import run_store
from app.tags.errors import RunIsOver
from app.tags.models import Tag, TagRun, TagRunState
from app.tags.schemas import TagFilter, problem_of
from app.wechat.errcodes import explain

SEE_OTHER: Final = 303
REFUSED_SHOWN: Final = 100


@router.get("/runs/{run_id}")
async def show_run(
    request: Request,
    _visitor: Viewer,
    session: SessionDep,
    run_id: UUID,
    unknown: Annotated[int, Query(ge=0, le=5000)] = 0,
) -> Response:
    """Show a run, and whom WeChat refused."""
    run = await _run(session, run_id)
    language = language_of(request)
    wanted = None if run.filter is None else TagFilter.model_validate(run.filter)
    had = None if wanted is None else wanted.tag_id
    refused = await run_store.refused(session, run_id, "", REFUSED_SHOWN)
    make = await references(session, request.app.state.settings)
    tag = None if run.tag_id is None else await session.get(Tag, (run.appid, run.tag_id))
    return render(
        request,
        "tags/run.html",
        run=run,
        tag=tag,
        wanted=wanted,
        filters=FILTERS,
        scenes=SCENES,
        had=None if had is None else await session.get(Tag, (run.appid, had)),
        unknown=unknown,
        actions=ACTIONS,
        states=STATES,
        goes_on=run.state is TagRunState.RUNNING,
        earlier=await run_store.next_before(session, run),
        problem=problem_of(run, language),
        refused=[
            (
                make.make(one.appid, one.openid),
                tail(one.openid),
                one.errcode,
                explain(one.errcode or 0, language, None),
            )
            for one in refused
        ],
    )


@router.get("/runs/{run_id}/progress")
async def show_run_progress(
    request: Request, _visitor: Viewer, session: SessionDep, run_id: UUID
) -> Response:
    """Show how far a run is; when it is over, the page is loaded again."""
    run = await _run(session, run_id)
    goes_on = run.state is TagRunState.RUNNING
    headers = None if goes_on else {"HX-Refresh": "true"}
    return render(request, "tags/progress.html", headers=headers, run=run, goes_on=goes_on)


@router.post("/runs/{run_id}/stop")
async def stop_run(
    request: Request, visitor: Editor, session: SessionDep, run_id: UUID
) -> Response:
    """End a run."""
    run = await run_store.locked(session, run_id)
    if run is None:
        raise NotFound
    try:
        await run_store.stop(
            session, actor_of(request, visitor), run, request.app.state.clock.now()
        )
    except RunIsOver:  # somebody else was faster; the page shows what is so
        await session.rollback()
    return RedirectResponse(console_path(f"/tags/runs/{run_id}"), SEE_OTHER)


async def _run(session: AsyncSession, run_id: UUID) -> TagRun:
    run = await session.get(TagRun, run_id)
    if run is None:
        raise NotFound
    return run
