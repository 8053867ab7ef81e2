"""What the editor does with versions: restore one, undo the live one, stop a publication."""

from typing import Annotated, Final

from fastapi import Query, Request, Response
from fastapi.responses import RedirectResponse

from app.console.errors import NotFound
from app.console.menus.place import Place, PlaceQuery
from app.console.menus.router import router
from app.console.signed_in import Editor
from app.console.template_environment import console_path
from app.console.visitor import actor_of
from app.db.session import SessionDep
from app.menus import store
from app.menus.errors import Finished, MenuError, TooLate, Unfinished, UnknownVersion

SEE_OTHER: Final = 303


@router.post("/versions/{number}/restore")
async def restore(
    request: Request,
    visitor: Editor,
    session: SessionDep,
    number: int,
    query: Annotated[PlaceQuery, Query()],
) -> Response:
    """Make the menu of a version the draft."""
    place, actor = Place.of(request, query), actor_of(request, visitor)
    try:
        await store.restore(session, actor, place.appid, number, request.app.state.clock.now())
    except UnknownVersion:
        raise NotFound from None
    return _to_editor(place, "restored")


@router.post("/versions/{number}/stop")
async def stop(
    request: Request,
    visitor: Editor,
    session: SessionDep,
    number: int,
    query: Annotated[PlaceQuery, Query()],
) -> Response:
    """Stop a publication; one that is over or nearly so stays as it is."""
    place, actor = Place.of(request, query), actor_of(request, visitor)
    try:
        await store.stop(session, actor, place.appid, number, request.app.state.clock.now())
    except UnknownVersion:
        raise NotFound from None
    except TooLate:
        return _to_editor(place, "late")
    except Finished:
        return RedirectResponse(console_path(place.address()), SEE_OTHER)
    return _to_editor(place, "stopped")


@router.post("/undo")
async def undo(
    request: Request, visitor: Editor, session: SessionDep, query: Annotated[PlaceQuery, Query()]
) -> Response:
    """Publish again what followers saw before the live version."""
    place, actor = Place.of(request, query), actor_of(request, visitor)
    try:
        await store.undo(session, actor, place.appid, request.app.state.clock.now())
    except MenuError as error:
        return _to_editor(place, "busy" if isinstance(error, Unfinished) else "nothing")
    return _to_editor(place, "published")


def _to_editor(place: Place, done: str) -> Response:
    return RedirectResponse(console_path(place.address(done=done)), SEE_OTHER)
