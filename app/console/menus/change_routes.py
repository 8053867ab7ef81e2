"""Changes of the draft from the editor: each loads the draft, changes one thing and stores it."""

from collections.abc import Callable
from typing import Annotated, Final, Literal

from fastapi import Form, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import Field, ValidationError
from sqlalchemy.ext.asyncio import AsyncSession

from app.access.sessions import SignedIn
from app.console.menus import labels
from app.console.menus.place import Place, PlaceQuery
from app.console.menus.router import router
from app.console.signed_in import Editor
from app.console.template_environment import console_path
from app.console.visitor import actor_of
from app.db.session import SessionDep
from app.menus import edit, store
from app.menus.button_types import TYPES, ButtonType
from app.menus.document import MAX_BUTTONS, MAX_TEXT, MatchRule, Menu
from app.menus.errors import DraftChanged

SEE_OTHER: Final = 303
Typed = Annotated[str, Field(max_length=MAX_TEXT)]


class ChangeForm(PlaceQuery):
    """A change of the draft with this revision."""

    revision: Annotated[int, Field(ge=0)]


class ButtonForm(ChangeForm):
    """Name and action of a button."""

    name: Typed = ""
    type: Typed = ""
    key: Typed = ""
    url: Typed = ""
    mini_program: Typed = ""
    pagepath: Typed = ""
    media_id: Typed = ""
    article_id: Typed = ""

    def members(self) -> dict[str, str]:
        """Return the members of this type that have a value, as WeChat spells them."""
        typed = {"appid": self.mini_program} | {
            name: getattr(self, name) for name in labels.MEMBERS if name != "appid"
        }
        members = {"name": self.name.strip()}
        if self.type in {one.value for one in ButtonType}:
            needed = TYPES[ButtonType(self.type)].members
            members |= {name: typed[name].strip() for name in needed if typed[name].strip()}
            members["type"] = self.type
        return members


class MoveForm(ChangeForm):
    """Where something moves to, by how many places."""

    to: Literal["up", "down"]
    steps: Annotated[int, Field(ge=1, le=MAX_BUTTONS)] = 1

    @property
    def by(self) -> int:
        """The steps, below zero to the front."""
        return -self.steps if self.to == "up" else self.steps


class ConditionForm(ChangeForm):
    """Whom a new conditional menu is for."""

    tag_id: Typed = ""
    client_platform_type: Typed = ""


@router.post("/button")
async def save_button(
    request: Request, visitor: Editor, session: SessionDep, form: Annotated[ButtonForm, Form()]
) -> Response:
    """Replace name and action of a button."""
    place = Place.of(request, form)
    return await _change(
        request,
        visitor,
        session,
        form,
        place.address(),
        lambda menu: edit.with_button(menu, place.which, place.path, form.members()),
    )


@router.post("/add")
async def add_button(
    request: Request, visitor: Editor, session: SessionDep, form: Annotated[ButtonForm, Form()]
) -> Response:
    """Add a button to the first level, or to the sub-menu of the button that the form names."""
    place = Place.of(request, form)
    return await _change(
        request,
        visitor,
        session,
        form,
        place.address(),
        lambda menu: edit.with_new_button(menu, place.which, place.path[:1], {"name": form.name}),
    )


@router.post("/remove")
async def remove_button(
    request: Request, visitor: Editor, session: SessionDep, form: Annotated[ChangeForm, Form()]
) -> Response:
    """Remove a button."""
    place = Place.of(request, form)
    return await _change(
        request,
        visitor,
        session,
        form,
        place.address(button=""),
        lambda menu: edit.without_button(menu, place.which, place.path),
    )


@router.post("/move")
async def move_button(
    request: Request, visitor: Editor, session: SessionDep, form: Annotated[MoveForm, Form()]
) -> Response:
    """Move a button among its siblings."""
    place = Place.of(request, form)
    return await _change(
        request,
        visitor,
        session,
        form,
        place.address(button=""),
        lambda menu: edit.with_moved_button(menu, place.which, place.path, form.by),
    )


@router.post("/conditional/add")
async def add_conditional(
    request: Request, visitor: Editor, session: SessionDep, form: Annotated[ConditionForm, Form()]
) -> Response:
    """Add a conditional menu with the buttons of the default one."""
    place = Place.of(request, form)
    given = {
        "tag_id": form.tag_id.strip() or None,
        "client_platform_type": form.client_platform_type or None,
    }
    return await _change(
        request,
        visitor,
        session,
        form,
        place.address(button=""),
        lambda menu: edit.with_new_conditional(menu, MatchRule.model_validate(given)),
    )


@router.post("/conditional/move")
async def move_conditional(
    request: Request, visitor: Editor, session: SessionDep, form: Annotated[MoveForm, Form()]
) -> Response:
    """Move a conditional menu: the first that fits a follower is shown."""
    place = Place.of(request, form)
    return await _change(
        request,
        visitor,
        session,
        form,
        Place(place.appid, 0, ()).address(),
        lambda menu: edit.with_moved_conditional(menu, place.menu - 1, form.by),
    )


@router.post("/conditional/remove")
async def remove_conditional(
    request: Request, visitor: Editor, session: SessionDep, form: Annotated[ChangeForm, Form()]
) -> Response:
    """Remove a conditional menu."""
    place = Place.of(request, form)
    return await _change(
        request,
        visitor,
        session,
        form,
        Place(place.appid, 0, ()).address(),
        lambda menu: edit.without_conditional(menu, place.menu - 1),
    )


async def _change(
    request: Request,
    visitor: SignedIn,
    session: AsyncSession,
    form: ChangeForm,
    address: str,
    change: Callable[[Menu], Menu],
) -> Response:
    """Store a change of the draft that the form shows, and go to an address of the console."""
    now = request.app.state.clock.now()
    place = Place.of(request, form)
    account = await store.read(session, place.appid, now)
    done = "saved"
    try:
        changed = change(Menu.model_validate(account.draft))
        await store.save_draft(
            session, actor_of(request, visitor), place.appid, changed, now, revision=form.revision
        )
    except (DraftChanged, edit.NoSuchPlace, ValidationError) as error:
        done = "invalid" if isinstance(error, ValidationError) else "changed"
    return RedirectResponse(console_path(f"{address}&done={done}"), SEE_OTHER)
