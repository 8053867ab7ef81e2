"""`/api/qrcodes/lists`: many codes by one call."""

import asyncio
from typing import Annotated, Any, Final

from fastapi import APIRouter, HTTPException, Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import Field
from sqlalchemy.ext.asyncio import AsyncSession

from app.access.caller import actor_of
from app.access.scopes import ApiScope, needs
from app.api_model import ApiModel
from app.api_route import BoundedRoute
from app.clock import Clock
from app.db.engine import Database
from app.db.session import SessionDep
from app.qrcodes import examples, list_store
from app.qrcodes.accounts import account_for
from app.qrcodes.errors import QrCodeError
from app.qrcodes.http_errors import (
    CONFLICT,
    NO_ACCOUNT,
    UNKNOWN,
    unknown_list,
    unprocessable,
)
from app.qrcodes.list_csv import MAX_BYTES, BadList, ListedCode, read_list
from app.qrcodes.list_pictures import pictures_of
from app.qrcodes.list_store import NewList
from app.qrcodes.models import QrCodeList, QrKind
from app.qrcodes.picture_look import BadLook, PictureLook, painter
from app.qrcodes.scene import KEY_PATTERN, PREFIX_PATTERN, BadScene, check_scene
from app.qrcodes.schemas import ListId, QrCodeListOut
from app.settings import APPID_PATTERN, Settings

router = APIRouter(prefix="/api/qrcodes/lists", tags=["qrcodes"], route_class=BoundedRoute)

_CSV: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {
            "text/csv": {
                "schema": {"type": "string"},
                "examples": {"stores": {"summary": "Two stores", "value": examples.LIST}},
            }
        },
    }
}


class _New(ApiModel):
    """What is common to the codes of a list."""

    appid: Annotated[str, Field(pattern=APPID_PATTERN)] | None = None
    """AppID of the Official Account; left out, that of WECHAT_APPID."""
    kind: QrKind = QrKind.TEMPORARY
    """Of all its codes."""
    scene_prefix: Annotated[str, Field(pattern=PREFIX_PATTERN)] = ""
    """What a drawn scene begins with, so that one rule can answer them all."""
    key: Annotated[str, Field(pattern=KEY_PATTERN)] | None = None
    """Of your choice: a call that is repeated with the same key and list makes nothing further."""


@router.post(
    "",
    status_code=201,
    responses=CONFLICT,
    openapi_extra=needs(ApiScope.QRCODES_WRITE) | _CSV,
)
async def add_list(
    new: Annotated[_New, Query()], request: Request, session: SessionDep
) -> QrCodeListOut:
    """Make up to 1,000 QR codes from a CSV with a name, and perhaps a scene, on each line.

    The worker gets them from WeChat one by one; the list says how far it is.
    """
    appid = account_for(new.appid, request.app.state.settings)
    if appid is None:
        raise unprocessable("appid", NO_ACCOUNT, part="query")
    try:
        check_scene(new.scene_prefix)
    except BadScene as error:
        raise unprocessable("scene_prefix", str(error), part="query") from None
    wanted = NewList(appid, new.kind, await _codes(request), new.scene_prefix, new.key)
    clock: Clock = request.app.state.clock
    try:
        async with session.begin_nested():
            added = await list_store.add(session, actor_of(request), wanted, clock.now())
    except QrCodeError as error:
        raise HTTPException(409, str(error)) from None
    return await _out(session, added)


@router.get("/{list_id}", responses=UNKNOWN, openapi_extra=needs(ApiScope.QRCODES_READ))
async def get_list(list_id: ListId, session: SessionDep) -> QrCodeListOut:
    """Read how far a list is. Its codes are `GET /api/qrcodes?list_id=…`."""
    found = await session.get(QrCodeList, list_id)
    if found is None:
        raise unknown_list(list_id)
    return await _out(session, found)


@router.get(
    "/{list_id}/pictures",
    responses=UNKNOWN
    | {200: {"content": {"application/zip": {}}, "description": "The pictures and a list of them"}},
    response_class=Response,
    openapi_extra=needs(ApiScope.QRCODES_READ),
)
async def get_pictures(
    list_id: ListId, look: Annotated[PictureLook, Query()], request: Request
) -> Response:
    """Download the pictures of a list as a ZIP with `codes.csv`, which names each file.

    Codes that WeChat has not made yet stand in `codes.csv` alone, with their state.
    """
    settings: Settings = request.app.state.settings
    # In a transaction of its own, since the download may take long.
    database: Database = request.app.state.database
    async with database.sessions() as session:
        if await session.get(QrCodeList, list_id) is None:
            raise unknown_list(list_id)
        codes = await list_store.codes(session, list_id)
    try:
        drawing = await painter(look, settings.media_path)
        await asyncio.to_thread(drawing.check_names, [code.name for code in codes])
    except BadLook as error:
        raise unprocessable(error.field, str(error), part="query") from None
    return StreamingResponse(
        pictures_of(codes, drawing, settings.base_url, request.app.state.clock.now()),
        media_type="application/zip",
        headers={"Content-Disposition": f'attachment; filename="qrcodes-{list_id}.zip"'},
    )


async def _codes(request: Request) -> list[ListedCode]:
    given = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if given and given not in ("text/csv", "text/plain"):
        raise HTTPException(415, "send the list as CSV, with Content-Type: text/csv")
    content = await request.body()
    if len(content) > MAX_BYTES:
        raise HTTPException(413, f"the list has more than {MAX_BYTES} bytes: split it")
    try:
        return read_list(content)
    except BadList as error:
        raise unprocessable("csv", str(error)) from None


async def _out(session: AsyncSession, found: QrCodeList) -> QrCodeListOut:
    progress = await list_store.progress(session, found.id)
    return QrCodeListOut(
        id=found.id,
        appid=found.appid,
        kind=found.kind,
        total=found.total,
        made=progress.made,
        refused=progress.refused,
        unanswered=progress.unanswered,
        waiting=progress.waiting,
        created_at=found.created_at,
    )
