"""What publishing the draft would change at WeChat, and the button that publishes it."""

from typing import Annotated, Any, Final

from fastapi import Form, Query, Request, Response
from fastapi.responses import RedirectResponse

from app.console.menus import labels
from app.console.menus.place import Place, PlaceQuery
from app.console.menus.router import router
from app.console.refusal import Refusal
from app.console.render import render
from app.console.signed_in import Editor, Viewer
from app.console.template_environment import console_path
from app.console.visitor import actor_of
from app.db.engine import Database
from app.db.session import SessionDep
from app.menus import present, store
from app.menus.check import check_menu
from app.menus.document import Menu
from app.menus.errors import DraftChanged, MenuError
from app.menus.live_version import live_version
from app.settings import Settings
from app.wechat.errors import ApiError
from app.wechat.ids import AppId

SEE_OTHER: Final = 303


@router.get("/difference")
async def show_difference(
    request: Request, _visitor: Viewer, query: Annotated[PlaceQuery, Query()]
) -> Response:
    """Ask WeChat what followers see, and compare it with the draft."""
    place = Place.of(request, query)
    settings: Settings = request.app.state.settings
    database: Database = request.app.state.database
    async with database.sessions.begin() as session:
        account = await store.read(session, place.appid, request.app.state.clock.now())
        live = await live_version(session, place.appid)
    menu = Menu.model_validate(account.draft)
    blocked = any(each.blocks for each in check_menu(menu, settings.mini_programs))
    values: dict[str, Any] = {"found": None, "changes": [], "problem": None}
    appid = AppId(place.appid)
    if not blocked:
        try:
            found = await present.read(request.app.state.wechat_menus, appid, live)
        except ApiError as error:
            values["problem"] = Refusal.of(request, error)
        else:
            values["found"] = found
            values["changes"] = present.changes(found, menu, appid, live)
    return render(
        request,
        "menus/difference.html",
        place=place,
        account=account,
        blocked=blocked,
        kinds=labels.CHANGES,
        **values,
    )


@router.post("/publish")
async def publish(
    request: Request,
    visitor: Editor,
    session: SessionDep,
    query: Annotated[PlaceQuery, Query()],
    revision: Annotated[int, Form(ge=0)],
) -> Response:
    """Publish the draft of a revision."""
    place = Place.of(request, query)
    settings: Settings = request.app.state.settings
    now = request.app.state.clock.now()
    account = await store.read(session, place.appid, now)
    problems = check_menu(Menu.model_validate(account.draft), settings.mini_programs)
    if any(each.blocks for each in problems):
        return RedirectResponse(console_path(place.address()), SEE_OTHER)
    try:
        await store.publish(
            session, actor_of(request, visitor), place.appid, now, revision=revision
        )
    except MenuError as error:
        done = "changed" if isinstance(error, DraftChanged) else "busy"
        return RedirectResponse(console_path(place.address(done=done)), SEE_OTHER)
    return RedirectResponse(console_path(place.address(done="published")), SEE_OTHER)
