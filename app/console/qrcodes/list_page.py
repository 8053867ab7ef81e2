"""The list of QR codes with their figures, with forms for a further one and for many."""

import asyncio
from collections.abc import Sequence
from typing import Annotated, Final, Literal
from uuid import UUID

from fastapi import Form, Query, Request, Response
from fastapi.responses import RedirectResponse, StreamingResponse
from sqlalchemy.ext.asyncio import AsyncSession

from app.console import errors
from app.console.file_phrases import file_problem
from app.console.form_values import Blank
from app.console.messages import N_
from app.console.qrcodes.code_labels import KINDS, STATES
from app.console.qrcodes.forms import (
    ACCOUNT,
    SCENE_TAKEN,
    TOO_MANY,
    CodeForm,
    ListForm,
    Wrong,
)
from app.console.qrcodes.router import router
from app.console.render import render
from app.console.signed_in import Editor, Viewer
from app.console.template_environment import console_path
from app.console.visitor import actor_of
from app.db.engine import Database
from app.db.session import SessionDep
from app.qrcodes import counts, list_store, store
from app.qrcodes.accounts import accounts_with_codes
from app.qrcodes.errors import KeyTaken, ScenesTaken, TooManyCodes
from app.qrcodes.life import state_of
from app.qrcodes.list_pictures import pictures_of
from app.qrcodes.models import QrCode, QrCodeList, QrKind
from app.qrcodes.picture_look import BadLook, Painter, PictureLook, painter
from app.settings import Settings

SEE_OTHER: Final = 303
PAGE_ROWS: Final = 50
LISTS_SHOWN: Final = 10
DONE: Final = {
    "listed": N_("The list is added. The worker gets its codes from WeChat one by one."),
}


@router.get("")
async def show(
    request: Request,
    _visitor: Viewer,
    session: SessionDep,
    before: Annotated[Blank[UUID], Query()] = None,
    list_id: Annotated[Blank[UUID], Query()] = None,
    done: Annotated[Blank[Literal["listed"]], Query()] = None,
) -> Response:
    """List codes, the newest first."""
    return await _list(
        request, session, before=before, list_id=list_id, done=None if done is None else DONE[done]
    )


@router.post("/add")
async def add(
    request: Request, visitor: Editor, session: SessionDep, form: Annotated[CodeForm, Form()]
) -> Response:
    """Add a code, and show it."""
    settings: Settings = request.app.state.settings
    try:
        code_in = form.as_code()
        if code_in.appid is None or code_in.appid not in accounts_with_codes(settings):
            raise Wrong({"appid": ACCOUNT})
        async with session.begin_nested():
            code = await store.add(
                session,
                actor_of(request, visitor),
                code_in.appid,
                code_in,
                request.app.state.clock.now(),
            )
    except ScenesTaken:
        return await _list(request, session, form=form, wrong=Wrong({"scene": SCENE_TAKEN}))
    except TooManyCodes:
        return await _list(request, session, form=form, wrong=Wrong({"kind": TOO_MANY}))
    except Wrong as wrong:
        return await _list(request, session, form=form, wrong=wrong)
    return RedirectResponse(console_path(f"/qrcodes/{code.id}?done=added"), SEE_OTHER)


@router.post("/lists/add")
async def add_list(
    request: Request, visitor: Editor, session: SessionDep, form: Annotated[ListForm, Form()]
) -> Response:
    """Add a list of codes, and show how far it is."""
    settings: Settings = request.app.state.settings
    try:
        new = form.as_list()
        if new.appid not in accounts_with_codes(settings):
            raise Wrong({"list_appid": ACCOUNT})
        async with session.begin_nested():
            added = await list_store.add(
                session, actor_of(request, visitor), new, request.app.state.clock.now()
            )
    except ScenesTaken as error:
        wrong = Wrong({"names": N_("The account has codes of these scenes.")}, str(error))
        return await _list(request, session, many=form, wrong=wrong)
    except (TooManyCodes, KeyTaken) as error:
        wrong = Wrong({"names": TOO_MANY}, str(error))
        return await _list(request, session, many=form, wrong=wrong)
    except Wrong as wrong:
        return await _list(request, session, many=form, wrong=wrong)
    return RedirectResponse(console_path(f"/qrcodes?list_id={added.id}&done=listed"), SEE_OTHER)


@router.get("/lists/{list_id}/pictures")
async def download(
    request: Request,
    _visitor: Viewer,
    list_id: UUID,
    format: Annotated[Literal["png", "svg"], Query()] = "png",
    names: Annotated[bool, Query()] = False,
) -> Response:
    """Send the pictures of a list as a ZIP. names: whether each stands below its code."""
    settings: Settings = request.app.state.settings
    database: Database = request.app.state.database
    drawing = await painter(PictureLook(format=format, with_name=names), settings.media_path)
    async with database.sessions() as session:
        if await session.get(QrCodeList, list_id) is None:
            raise errors.NotFound
        codes = await list_store.codes(session, list_id)
    if not await _can_draw(drawing, codes):
        raise errors.NotFound
    return StreamingResponse(
        pictures_of(codes, drawing, settings.base_url, request.app.state.clock.now()),
        media_type="application/zip",
        headers={"Content-Disposition": f'attachment; filename="qrcodes-{list_id}.zip"'},
    )


@router.get("/lists/{list_id}/progress")
async def show_progress(
    request: Request, _visitor: Viewer, session: SessionDep, list_id: UUID
) -> Response:
    """Show how far a list is; when WeChat was asked for all, the page is loaded again."""
    if await session.get(QrCodeList, list_id) is None:
        raise errors.NotFound
    progress = await list_store.progress(session, list_id)
    headers = {"HX-Refresh": "true"} if progress.is_over else None
    return render(
        request, "qrcodes/progress.html", headers=headers, list_id=list_id, progress=progress
    )


async def _can_draw(drawing: Painter, codes: Sequence[QrCode]) -> bool:
    """Return whether the fonts of the service have every character of the names."""
    try:
        await asyncio.to_thread(drawing.check_names, [code.name for code in codes])
    except BadLook:
        return False
    return True


async def _list(
    request: Request,
    session: AsyncSession,
    *,
    form: CodeForm | None = None,
    many: ListForm | None = None,
    before: UUID | None = None,
    list_id: UUID | None = None,
    wrong: Wrong | None = None,
    done: str | None = None,
) -> Response:
    settings: Settings = request.app.state.settings
    now = request.app.state.clock.now()
    found = await store.page(session, before=before, limit=PAGE_ROWS + 1, list_id=list_id)
    codes = found[:PAGE_ROWS]
    one_list = None if list_id is None else await session.get(QrCodeList, list_id)
    permanent = await counts.permanent(session)
    return render(
        request,
        "qrcodes/index.html",
        status=422 if wrong else 200,
        codes=[(code, STATES[state_of(code, now)]) for code in codes],
        older=codes[-1].id if len(found) > PAGE_ROWS else None,
        newest=before is not None,
        list_id=list_id,
        one_list=one_list,
        progress=None if list_id is None else await list_store.progress(session, list_id),
        png_with_names=one_list is not None
        and await _can_draw(
            Painter(PictureLook(with_name=True)), await list_store.codes(session, one_list.id)
        ),
        lists=await list_store.page(session, LISTS_SHOWN),
        scarce=[(appid, count) for appid, count in permanent.items() if counts.is_warned(count)],
        limit=counts.LIMITS[QrKind.PERMANENT],
        accounts=[(appid, appid) for appid in accounts_with_codes(settings)],
        kinds={kind.value: text for kind, text in KINDS.items()},
        form=form or CodeForm(),
        many=many or ListForm(),
        problems={} if wrong is None else wrong.problems,
        detail="" if wrong is None else file_problem(request, wrong.detail),
        done=done,
    )
