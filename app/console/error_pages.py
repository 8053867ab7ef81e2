"""The pages for what goes wrong, each with a sentence that says what to do."""

from dataclasses import dataclass
from typing import Final

import structlog
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from app.console.errors import (
    ConsoleError,
    NotAllowed,
    NotFound,
    NotSecure,
    NotSignedIn,
    OtherOrigin,
)
from app.console.labels import ROLES
from app.console.messages import N_
from app.console.render import is_htmx, render
from app.ops.error_handlers import DATABASE_ERRORS, error_detail

# Where a fragment with an error goes, instead of the part of the page that asked for it.
NOTICE_HEADERS: Final = {"HX-Retarget": "#notice", "HX-Reswap": "innerHTML"}


@dataclass(frozen=True, slots=True)
class ErrorText:
    """What a page says. title, advice: messages."""

    status: int
    title: str
    advice: str


NOT_FOUND: Final = ErrorText(
    404, N_("There is no such page"), N_("It may have been removed. Go on from the navigation.")
)
OTHER_ORIGIN: Final = ErrorText(
    403,
    N_("The request was refused"),
    N_("It did not come from a page of this console. Open the page again and repeat it there."),
)
NOT_SECURE: Final = ErrorText(
    403,
    N_("The console needs HTTPS"),
    N_(
        "Open it at its https:// address, or on the machine of the service at http://127.0.0.1. "
        "A sign-in link is not used up by this."
    ),
)
NOT_ALLOWED: Final = ErrorText(
    403,
    N_("Your role does not allow this"),
    N_("Ask an owner to do it, or to change your role."),
)
TOO_LARGE: Final = ErrorText(
    413, N_("This is too large"), N_("Choose a smaller file, or send less at once.")
)
INVALID: Final = ErrorText(
    422,
    N_("The address or the form can't be read"),
    N_("Go back, and start from the page before."),
)
UNAVAILABLE: Final = ErrorText(
    503,
    N_("The database is not available"),
    N_("Callbacks are still received. Try again in a minute."),
)
FAULT: Final = ErrorText(
    500, N_("Something went wrong"), N_("The log of the service says what. Try again later.")
)
SIGNED_OUT: Final = ErrorText(
    401,
    N_("You are not signed in"),
    N_("Open your sign-in link, or ask an owner of the console for a new one."),
)
BY_STATUS: Final = {text.status: text for text in (NOT_FOUND, TOO_LARGE, INVALID, UNAVAILABLE)}
TEXTS: Final = {
    OtherOrigin: OTHER_ORIGIN,
    NotSecure: NOT_SECURE,
    NotAllowed: NOT_ALLOWED,
    NotFound: NOT_FOUND,
    RequestValidationError: INVALID,
}

log = structlog.get_logger(__name__)


def add_error_pages(console: FastAPI) -> None:
    """Answer every error with a page."""

    async def answer(request: Request, error: Exception) -> Response:
        return error_page(request, error)

    for kind in (ConsoleError, HTTPException, RequestValidationError, Exception, *DATABASE_ERRORS):
        console.add_exception_handler(kind, answer)


def error_page(request: Request, error: Exception) -> Response:
    """Return the page for an error; for htmx, a notice that leaves the page as it is."""
    if isinstance(error, NotSignedIn):
        return signed_out_page(request)
    text = _text_of(error)
    if isinstance(error, DATABASE_ERRORS):
        # A statement that is wrong is a fault of the service: its place is told.
        place = error if text is FAULT else None
        log.warning(
            "console.database_error",
            error=type(error).__name__,
            status=text.status,
            exc_info=place,
        )
    needed = ROLES[error.needed].label if isinstance(error, NotAllowed) else None
    headers = dict(error.headers or {}) if isinstance(error, HTTPException) else {}
    return _page(request, "error.html", text, headers, needed=needed)


def signed_out_page(request: Request) -> HTMLResponse:
    """Return the page for somebody who is not signed in.

    A link in a chat or a mail arrives without the cookie, since another site has led here. The page
    then opens itself again, once: now a page of this site leads here.
    """
    from_elsewhere = request.headers.get("sec-fetch-site") in ("cross-site", "same-site")
    again = from_elsewhere and request.method == "GET" and not is_htmx(request)
    return _page(request, "signed_out.html", SIGNED_OUT, {}, again=again)


def no_operator_page(request: Request) -> HTMLResponse:
    """Return the page of a console that nobody can sign in to yet. It has nothing else."""
    return render(request, "no_operator.html", status=503)


def _page(
    request: Request, template: str, text: ErrorText, headers: dict[str, str], **values: object
) -> HTMLResponse:
    if is_htmx(request):
        headers |= NOTICE_HEADERS
    return render(
        request,
        template,
        fragment="notice",
        status=text.status,
        headers=headers,
        error=text,
        **values,
    )


def _text_of(error: Exception) -> ErrorText:
    if isinstance(error, HTTPException):
        return BY_STATUS.get(error.status_code) or ErrorText(
            error.status_code, FAULT.title, N_("Go on from the navigation.")
        )
    if isinstance(error, DATABASE_ERRORS) and error_detail(error) is not None:
        return UNAVAILABLE
    return TEXTS.get(type(error), FAULT)
