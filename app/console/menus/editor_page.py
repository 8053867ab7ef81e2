"""The editor: the phone preview of one menu, one button of it, what is wrong, and the versions."""

from typing import Annotated, Any, Final, Literal

from fastapi import Query, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from app.console.form_values import Blank
from app.console.labels import named
from app.console.language import language_of
from app.console.menus import labels
from app.console.menus.answering_rule import answering_rule
from app.console.menus.place import Place, PlaceQuery, official_accounts
from app.console.menus.problems import shown_problems
from app.console.menus.router import router
from app.console.messages import N_
from app.console.render import render
from app.console.signed_in import Viewer
from app.db.session import SessionDep
from app.menus import store
from app.menus.button_types import TYPES
from app.menus.check import (
    MAX_SUB,
    MAX_SUB_NAME_BYTES,
    MAX_TOP,
    MAX_TOP_NAME_BYTES,
    check_menu,
)
from app.menus.document import Button, Menu, SubButton
from app.menus.edit import NoSuchPlace, button_at, buttons_of
from app.menus.schemas import refusal_of
from app.settings import Settings
from app.tags import store as tags

SHOWN_VERSIONS: Final = 10
DONE: Final = {
    "saved": N_("The draft is saved. Followers see it once it is published."),
    "published": N_("The worker publishes the menu. WeChat shows it within five minutes."),
    "restored": N_("The version is the draft now. Followers see it once it is published."),
    "stopped": N_("The worker stops the publication, and restores what was there before."),
    "changed": N_("Somebody else has changed the draft meanwhile: repeat your change."),
    "busy": N_("A version is being published: wait until it is over, or stop it first."),
    "invalid": N_(
        "This can't be saved: the id of a tag has digits alone, and there is room for 50 "
        "conditional menus with 10 buttons each."
    ),
    "nothing": N_("There is no earlier menu that can be published again."),
    "late": N_("Followers see this version already: wait until it is published, and undo it then."),
}
FAILED: Final = frozenset({"changed", "busy", "nothing", "invalid", "late"})
Done = Literal[
    "saved", "published", "restored", "stopped", "changed", "busy", "nothing", "invalid", "late"
]


@router.get("")
async def show(
    request: Request,
    _visitor: Viewer,
    session: SessionDep,
    query: Annotated[PlaceQuery, Query()],
    done: Annotated[Blank[Done], Query()] = None,
) -> Response:
    """Show the draft of an account."""
    return await show_editor(request, session, Place.of(request, query), done=done)


@router.get("/versions")
async def show_versions(
    request: Request, _visitor: Viewer, session: SessionDep, query: Annotated[PlaceQuery, Query()]
) -> Response:
    """Show the versions alone, which a page with a publication under way reads again.

    The rest of the page stays: an operator may be typing in its form.
    """
    return await show_editor(request, session, Place.of(request, query), fragment="versions")


async def show_editor(
    request: Request,
    session: AsyncSession,
    place: Place,
    *,
    done: Done | None = None,
    fragment: str = "main",
) -> Response:
    """Render the editor at a place; a button that is gone is not shown."""
    settings: Settings = request.app.state.settings
    now = request.app.state.clock.now()
    account = await store.read(session, place.appid, now)
    menu = Menu.model_validate(account.draft)
    if place.which is not None and place.which >= len(menu.conditional):
        place = Place(place.appid, 0, ())
    problems = shown_problems(check_menu(menu, settings.mini_programs))
    language = language_of(request)
    versions = await store.versions(session, place.appid, before=None, limit=SHOWN_VERSIONS)
    return render(
        request,
        "menus/index.html",
        fragment=fragment,
        accounts=official_accounts(request),
        place=place,
        account=account,
        menu=menu,
        buttons=buttons_of(menu, place.which),
        problems=problems,
        wrong={each.button for each in problems if each.menu == place.menu and each.blocks},
        blocked=any(each.blocks for each in problems),
        selected=_selected(request, menu, place),
        types=[("", labels.NO_TYPE), *((one.value, text) for one, text in labels.TYPES.items())],
        type_names=labels.TYPES,
        members=labels.MEMBERS,
        max_top=MAX_TOP,
        max_sub=MAX_SUB,
        versions=[
            (
                each,
                named(labels.STATES, each.state),
                refusal_of(each, "en" if language == "en" else "zh"),
            )
            for each in versions
        ],
        unfinished=await store.unfinished(session, place.appid),
        mini_programs=sorted(settings.mini_programs),
        tags=await tag_names(session, place.appid),
        done=None if done is None else DONE[done],
        failed=done in FAILED,
    )


async def tag_names(session: AsyncSession, appid: str) -> dict[str, str]:
    """Return the names of the account's tags by id, as the condition of a menu names it."""
    return {str(tag.tag_id): tag.name for tag in await tags.of_account(session, appid)}


def _selected(request: Request, menu: Menu, place: Place) -> dict[str, Any] | None:
    if not place.path:
        return None
    try:
        button = button_at(menu, place.which, place.path)
    except NoSuchPlace:
        return None
    is_sub = len(place.path) > 1
    return {
        "button": button,
        "is_sub": is_sub,
        "opens_sub_menu": isinstance(button, Button) and bool(button.sub_button),
        "max_name": MAX_SUB_NAME_BYTES if is_sub else MAX_TOP_NAME_BYTES,
        "needed": () if button.type is None else TYPES[button.type].members,
        "filled": _values(button),
        "rule": answering_rule(
            request.app.state.rules.current, place.appid, button, request.app.state.clock.now()
        ),
        "asks_rule": bool(button.key),
    }


def _values(button: Button | SubButton) -> dict[str, str]:
    return {name: getattr(button, name) or "" for name in labels.MEMBERS}
