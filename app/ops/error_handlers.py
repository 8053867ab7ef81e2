"""Error responses of the whole `/api`: 422 for invalid requests, 503 for the database."""

import json
from typing import Any, Final

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import DBAPIError, InternalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from app.api_errors import MAX_PROBLEMS, Detail
from app.db.engine import UNAVAILABLE_ERRORS

log = structlog.get_logger(__name__)

# Classes of Postgres errors with which another try may succeed: connection, transaction, login, no
# such database, lost race, resources, object in use, operator, system.
TEMPORARY: Final = frozenset({"08", "25", "28", "3D", "40", "53", "55", "57", "58"})
CANCELLED: Final = "57014"

SLOW: Final = "the database took too long: request less at once, or try again later"
BUSY: Final = "the database is unavailable or too busy: try again later"

COMMON_RESPONSES: Final[dict[int | str, dict[str, Any]]] = {
    401: {"model": Detail, "description": "The token is missing, unknown, revoked or expired"},
    403: {"model": Detail, "description": "The token lacks the scope, or the AppID"},
    503: {
        "model": Detail,
        "description": "The database is unavailable or too slow, or there is no token yet",
    },
}

# Errors of database access: those of the driver while connecting (a statement that takes too long
# is a TimeoutError at any time), and those of SQLAlchemy afterwards.
DATABASE_ERRORS: Final = (*UNAVAILABLE_ERRORS, DBAPIError, PoolTimeoutError)


class _EscapingResponse(JSONResponse):
    """A JSON response that may hold a lone surrogate, which UTF-8 can't encode."""

    def render(self, content: object) -> bytes:
        """Return the body. A lone surrogate becomes `\\udXXX`, which is the escape of JSON."""
        return json.dumps(content, ensure_ascii=False).encode("utf-8", "backslashreplace")


def add_error_handlers(app: FastAPI) -> None:
    """Add handlers: 422 for invalid requests, 503 for an unavailable or slow database."""
    app.add_exception_handler(RequestValidationError, _unprocessable)
    for error in DATABASE_ERRORS:
        app.add_exception_handler(error, _unavailable)


def error_detail(error: Exception) -> str | None:
    """Return the `detail` for a database error; None if the service itself is at fault."""
    state = getattr(error.orig if isinstance(error, DBAPIError) else error, "sqlstate", None)
    if state == CANCELLED or isinstance(error, TimeoutError):
        return SLOW
    if state is not None:
        return BUSY if state[:2] in TEMPORARY else None
    if isinstance(error, DBAPIError):
        return BUSY if error.connection_invalidated or isinstance(error, InternalError) else None
    return BUSY


async def _unprocessable(_: Request, error: Exception) -> JSONResponse:
    """Return the 422 that names each wrong field."""
    if not isinstance(error, RequestValidationError):
        raise error
    # The input is left out: it may be personal data, or a value that JSON does not have, as NaN.
    found = error.errors()[:MAX_PROBLEMS]
    problems = [{name: one[name] for name in ("loc", "msg", "type")} for one in found]
    return _EscapingResponse({"detail": problems}, status_code=422)


async def _unavailable(_: Request, error: Exception) -> JSONResponse:
    detail = error_detail(error)
    if detail is None:
        raise error
    log.warning("api.database_away", error=type(error).__name__, detail=detail)
    return JSONResponse(Detail(detail=detail).model_dump(), status_code=503)
