"""Lets a person choose the language of the pages."""

from typing import Annotated, Final, Literal

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from app.access import operators
from app.console.language import COOKIE
from app.console.template_environment import MOUNTED_AT, console_path
from app.console.visitor import visitor_of
from app.db.session import SessionDep

SEE_OTHER: Final = 303
YEAR_SECONDS: Final = 365 * 86_400

router = APIRouter()


@router.post("/language")
async def choose(
    request: Request,
    session: SessionDep,
    language: Annotated[Literal["zh", "en"], Form()],
    next_path: Annotated[str, Form(alias="next", max_length=8192)] = "",
) -> Response:
    """Keep the language, for the operator or in a cookie, and go back to the page."""
    visitor = visitor_of(request)
    response = RedirectResponse(_page_of(next_path), SEE_OTHER)
    if visitor is not None:
        await operators.choose_language(session, visitor.operator_id, language)
    else:
        response.set_cookie(
            COOKIE, language, max_age=YEAR_SECONDS, path=MOUNTED_AT, httponly=True, samesite="lax"
        )
    return response


def _page_of(path: str) -> str:
    """Return the path of a page of the console; its first page for any other."""
    return path if path.startswith(f"{MOUNTED_AT}/") and path.isprintable() else console_path("/")
