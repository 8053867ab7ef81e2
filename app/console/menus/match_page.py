"""What a follower sees: WeChat is asked which menu fits an OpenID."""

from typing import Annotated, Any, Final

from fastapi import Form, Query, Request, Response

from app.console.menus.place import Place, PlaceQuery
from app.console.menus.router import router
from app.console.messages import N_
from app.console.refusal import Refusal
from app.console.render import render
from app.console.signed_in import Viewer
from app.db.engine import Database
from app.menus.http_errors import NOT_A_FOLLOWER
from app.menus.live_version import live_version
from app.menus.present import which_menu
from app.wechat.errors import ApiError
from app.wechat.ids import AppId

MAX_TYPED: Final = 128
NO_FOLLOWER: Final = N_("Nobody who follows the account has this OpenID.")
NO_OPENID: Final = N_("Type the OpenID of a follower.")


@router.get("/match")
async def show_match(
    request: Request, _visitor: Viewer, query: Annotated[PlaceQuery, Query()]
) -> Response:
    """Show the form."""
    return _show(request, Place.of(request, query))


@router.post("/match")
async def match(
    request: Request,
    _visitor: Viewer,
    query: Annotated[PlaceQuery, Query()],
    openid: Annotated[str, Form(max_length=MAX_TYPED)] = "",
) -> Response:
    """Ask WeChat which menu a follower sees."""
    place, openid = Place.of(request, query), openid.replace("\x00", "").strip()
    if not openid:
        return _show(request, place, problem=NO_OPENID)
    try:
        buttons = await request.app.state.wechat_menus.try_match(AppId(place.appid), openid)
    except ApiError as error:
        if error.errcode == NOT_A_FOLLOWER:
            return _show(request, place, openid=openid, problem=NO_FOLLOWER)
        return _show(request, place, openid=openid, refusal=Refusal.of(request, error))
    database: Database = request.app.state.database
    async with database.sessions.begin() as session:
        live = await live_version(session, place.appid)
    which = which_menu(buttons, live)
    seen = {
        "buttons": buttons,
        "is_default": which == "default",
        "conditional": None if which is None or which == "default" else which.removeprefix("c"),
        "version": None if live is None else live.number,
    }
    return _show(request, place, openid=openid, seen=seen)


def _show(
    request: Request,
    place: Place,
    *,
    openid: str = "",
    problem: str | None = None,
    refusal: Refusal | None = None,
    seen: dict[str, Any] | None = None,
) -> Response:
    return render(
        request,
        "menus/match.html",
        status=200 if problem is None else 422,
        place=place,
        openid=openid,
        problem=problem,
        refusal=refusal,
        seen=seen,
    )
