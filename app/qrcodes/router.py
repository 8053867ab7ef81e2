"""`/api/qrcodes`: QR codes of Official Accounts, their pictures and figures."""

import asyncio
from datetime import datetime
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Body, HTTPException, Query, Request, Response
from pydantic import Field

from app.access.caller import actor_of
from app.access.scopes import ApiScope, needs
from app.api_model import ApiModel
from app.api_route import BoundedRoute
from app.clock import Clock
from app.db.session import SessionDep
from app.identity.schemas import WeChatId
from app.links.days_query import DaysQuery
from app.qrcodes import counts, examples, figures_store, store
from app.qrcodes.accounts import account_for
from app.qrcodes.draw import MEDIA_TYPES
from app.qrcodes.errors import QrCodeError
from app.qrcodes.http_errors import (
    CONFLICT,
    NO_ACCOUNT,
    NOT_MADE,
    UNKNOWN,
    unknown,
    unprocessable,
)
from app.qrcodes.models import QrCode, QrKind
from app.qrcodes.picture_look import BadLook, PictureLook, painter
from app.qrcodes.schemas import (
    PermanentCodes,
    PermanentCounts,
    QrCodeId,
    QrCodeIn,
    QrCodeName,
    QrCodeOut,
    QrCodePage,
    QrFigures,
    QrFiguresOfDay,
    QrFiguresOut,
)
from app.settings import Settings
from app.wechat.errcodes import Language

MAX_PAGE_ROWS: Final = 500
_PICTURES: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "content": {"image/png": {}, "image/svg+xml": {}},
        "description": "The picture",
    }
}

router = APIRouter(prefix="/api/qrcodes", tags=["qrcodes"], route_class=BoundedRoute)

LanguageQuery = Annotated[Language, Query(description="Of `meaning` and `fix`")]


class _Page(ApiModel):
    """Filters and page of the list."""

    before: UUID | None = Field(default=None, description="`next` of the page before")
    limit: int = Field(default=100, ge=1, le=MAX_PAGE_ROWS)
    """At most so many codes."""
    appid: WeChatId | None = None
    """Only codes of this Official Account."""
    scene: WeChatId | None = None
    """Only the codes of this scene, one for each account at most."""
    list_id: UUID | None = None
    """Only codes that were made from this list."""
    language: Language = "en"
    """Of `meaning` and `fix`."""


@router.get("", openapi_extra=needs(ApiScope.QRCODES_READ))
async def list_qrcodes(
    query: Annotated[_Page, Query()], request: Request, session: SessionDep
) -> QrCodePage:
    """List QR codes with their figures, the newest first."""
    rows = await store.page(
        session,
        before=query.before,
        limit=query.limit + 1,
        appid=query.appid,
        scene=query.scene,
        list_id=query.list_id,
    )
    shown = rows[: query.limit]
    return QrCodePage(
        items=[_out(row, request, query.language) for row in shown],
        next=shown[-1].id if len(rows) > len(shown) else None,
    )


@router.post("", status_code=201, responses=CONFLICT, openapi_extra=needs(ApiScope.QRCODES_WRITE))
async def add_qrcode(
    code: Annotated[QrCodeIn, Body(openapi_examples=examples.CODES)],
    request: Request,
    session: SessionDep,
    language: LanguageQuery = "en",
) -> QrCodeOut:
    """Add a QR code. The worker gets it from WeChat within seconds."""
    appid = account_for(code.appid, request.app.state.settings)
    if appid is None:
        raise unprocessable("appid", NO_ACCOUNT)
    try:
        async with session.begin_nested():
            added = await store.add(session, actor_of(request), appid, code, _now(request))
    except QrCodeError as error:
        raise HTTPException(409, str(error)) from None
    return _out(added, request, language)


@router.get("/permanent", openapi_extra=needs(ApiScope.QRCODES_READ))
async def count_permanent(session: SessionDep) -> PermanentCounts:
    """Read how many of its 100,000 permanent codes each account has used."""
    limit = counts.LIMITS[QrKind.PERMANENT]
    return PermanentCounts(
        items=[
            PermanentCodes(appid=appid, count=count, limit=limit, warning=counts.is_warned(count))
            for appid, count in (await counts.permanent(session)).items()
        ]
    )


@router.get("/{qrcode_id}", responses=UNKNOWN, openapi_extra=needs(ApiScope.QRCODES_READ))
async def get_qrcode(
    qrcode_id: QrCodeId, request: Request, session: SessionDep, language: LanguageQuery = "en"
) -> QrCodeOut:
    """Read a QR code, its state and its figures."""
    return _out(_found(await session.get(QrCode, qrcode_id), qrcode_id), request, language)


@router.put("/{qrcode_id}/name", responses=UNKNOWN, openapi_extra=needs(ApiScope.QRCODES_WRITE))
async def rename_qrcode(
    qrcode_id: QrCodeId,
    change: Annotated[QrCodeName, Body(openapi_examples=examples.NAMES)],
    request: Request,
    session: SessionDep,
    language: LanguageQuery = "en",
) -> QrCodeOut:
    """Give a QR code another name. Nothing else can change, since the code may be in print."""
    code = _found(await store.locked(session, qrcode_id), qrcode_id)
    await store.rename(session, actor_of(request), code, change.name, _now(request))
    return _out(code, request, language)


@router.delete(
    "/{qrcode_id}",
    status_code=204,
    responses=UNKNOWN,
    openapi_extra=needs(ApiScope.QRCODES_WRITE),
)
async def delete_qrcode(qrcode_id: QrCodeId, request: Request, session: SessionDep) -> None:
    """Delete a QR code with its figures. A temporary one is not renewed any more.

    WeChat can't take a code back: it is scanned until it ends, a permanent one for ever.
    """
    if not await store.remove(session, actor_of(request), qrcode_id, _now(request)):
        raise unknown(qrcode_id)


@router.post(
    "/{qrcode_id}/renew",
    status_code=202,
    responses=UNKNOWN,
    openapi_extra=needs(ApiScope.QRCODES_WRITE),
)
async def renew_qrcode(
    qrcode_id: QrCodeId, request: Request, session: SessionDep, language: LanguageQuery = "en"
) -> QrCodeOut:
    """Let the worker ask WeChat for the code now, such as after a refusal is resolved.

    A permanent code that WeChat has made stays as it is.
    """
    code = _found(await store.locked(session, qrcode_id), qrcode_id)
    await store.renew_now(session, actor_of(request), code, _now(request))
    return _out(code, request, language)


@router.get("/{qrcode_id}/figures", responses=UNKNOWN, openapi_extra=needs(ApiScope.QRCODES_READ))
async def get_figures(
    qrcode_id: QrCodeId, query: Annotated[DaysQuery, Query()], request: Request, session: SessionDep
) -> QrFiguresOut:
    """Read what people did by a QR code, by day. The figures are some minutes late at most."""
    _found(await session.get(QrCode, qrcode_id), qrcode_id)
    since, until = query.days(_now(request))
    found = await figures_store.days(session, qrcode_id, since, until)
    return QrFiguresOut(
        items=[QrFiguresOfDay(day=row.day, **QrFigures.of(row).model_dump()) for row in found]
    )


@router.get(
    "/{qrcode_id}/picture",
    responses=UNKNOWN | NOT_MADE | _PICTURES,
    response_class=Response,
    openapi_extra=needs(ApiScope.QRCODES_READ),
)
async def get_picture(
    qrcode_id: QrCodeId,
    look: Annotated[PictureLook, Query()],
    request: Request,
    session: SessionDep,
) -> Response:
    """Draw the picture of a QR code, for print. For web pages there is `picture_url`."""
    settings: Settings = request.app.state.settings
    code = _found(await session.get(QrCode, qrcode_id), qrcode_id)
    if code.url is None:
        raise HTTPException(409, "WeChat has not made this code yet: see `state` and `problem`")
    try:
        drawing = await painter(look, settings.media_path)
        await asyncio.to_thread(drawing.check_names, [code.name])
    except BadLook as error:
        raise unprocessable(error.field, str(error), part="query") from None
    content = await asyncio.to_thread(drawing.draw, code.url, code.name)
    return Response(content, media_type=MEDIA_TYPES[look.format])


def _found(code: QrCode | None, qrcode_id: UUID) -> QrCode:
    if code is None:
        raise unknown(qrcode_id)
    return code


def _out(code: QrCode, request: Request, language: Language) -> QrCodeOut:
    settings: Settings = request.app.state.settings
    return QrCodeOut.of(code, settings.base_url, _now(request), language)


def _now(request: Request) -> datetime:
    clock: Clock = request.app.state.clock
    return clock.now()
