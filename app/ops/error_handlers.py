"""What `/api` answers, whatever the room, when a request can't be carried out."""

import json
from typing import Any, Final

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import DBAPIError, InternalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from app.api_errors import Detail
from app.db.engine import UNAVAILABLE_ERRORS

log = structlog.get_logger(__name__)

# Of the database's error classes those that another try may not meet: connection, transaction,
# login, no such database, lost race, resources, object in use, operator, system.
PASSING: Final = frozenset({"08", "25", "28", "3D", "40", "53", "55", "57", "58"})
CANCELLED: Final = "57014"

SLOW: Final = "the database took too long: ask for less at once, or try again later"
BUSY: Final = "the database is away or too busy: try again later"

UNAVAILABLE: Final[dict[int | str, dict[str, Any]]] = {
    503: {"model": Detail, "description": "The database is away or too slow, or nobody may ask"}
}

# What comes out of a room that works with the database: the driver's own errors when connecting
# (a command that takes too long is a TimeoutError at any time), SQLAlchemy's afterwards.
_OF_THE_DATABASE: Final = (*UNAVAILABLE_ERRORS, DBAPIError, PoolTimeoutError)


class _Escaping(JSONResponse):
    """JSON that may hold half a surrogate pair, which no UTF-8 text can: escaped as it was sent."""

    def render(self, content: object) -> bytes:
        """Return the body; what the codec writes for such a half is JSON's own escape."""
        return json.dumps(content, ensure_ascii=False).encode("utf-8", "backslashreplace")


def add_refusals(app: FastAPI) -> None:
    """Have validation answered with 422, and a database that is away or slow with 503."""
    app.add_exception_handler(RequestValidationError, _unprocessable)
    for error in _OF_THE_DATABASE:
        app.add_exception_handler(error, _unavailable)


def reason(error: Exception) -> str | None:
    """Return what to tell of a database's error; None if it is the service's own fault."""
    state = getattr(error.orig if isinstance(error, DBAPIError) else error, "sqlstate", None)
    if state == CANCELLED or isinstance(error, TimeoutError):
        return SLOW
    if state is not None:
        return BUSY if state[:2] in PASSING else None
    if isinstance(error, DBAPIError):
        return BUSY if error.connection_invalidated or isinstance(error, InternalError) else None
    return BUSY


async def _unprocessable(_: Request, error: Exception) -> JSONResponse:
    """Name each field and what is wrong with it.

    What was sent is not repeated: it may be a follower's, or no JSON at all, such as NaN.
    """
    if not isinstance(error, RequestValidationError):
        raise error
    problems = [{name: one[name] for name in ("loc", "msg", "type")} for one in error.errors()]
    return _Escaping({"detail": problems}, status_code=422)


async def _unavailable(_: Request, error: Exception) -> JSONResponse:
    told = reason(error)
    if told is None:
        raise error
    log.warning("api.database_away", error=type(error).__name__, detail=told)
    return JSONResponse(Detail(detail=told).model_dump(), status_code=503)
