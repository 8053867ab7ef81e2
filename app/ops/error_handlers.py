"""Error responses of the whole `/api`.

404 and 405 for addresses, 422 for invalid requests, 503 for the database, 500.
"""

import json
from collections.abc import Iterator
from http import HTTPStatus
from typing import Final

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import DBAPIError, InternalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute, Match

from app.api_errors import Detail
from app.db import migrate
from app.db.diagnosis import NOT_MIGRATED, SCHEMA_STATES, describe, sqlstate_of
from app.db.engine import UNAVAILABLE_ERRORS
from app.rules.definition.validation_errors import MAX_PROBLEMS, InvalidRequest, problems_in
from app.tombstones.erasure_secret import ErasureSecretUnreadable

log = structlog.get_logger(__name__)

# Classes of Postgres errors with which another try may succeed: connection, transaction, lost race,
# resources, object in use, operator, system.
TEMPORARY: Final = frozenset({"08", "25", "40", "53", "55", "57", "58"})
# Those with which it succeeds once an operator has corrected DATABASE_URL: login, no such database.
MISCONFIGURED: Final = frozenset({"28", "3D"})
CANCELLED: Final = "57014"

SLOW: Final = "the database took too long: request less at once, or try again later"
BUSY: Final = "the database is unavailable or too busy: try again later"
NO_SUCH_PATH: Final = "there is no such path: /docs lists them all"
NO_SUCH_METHOD: Final = "this path does not take {}: use {}"
FAILED: Final = "the service failed on this request: look for the error in its log"

# Errors of database access: those of the driver while connecting (a statement that takes too long
# is a TimeoutError at any time), and those of SQLAlchemy afterwards.
DATABASE_ERRORS: Final = (*UNAVAILABLE_ERRORS, DBAPIError, PoolTimeoutError)


class _EscapingResponse(JSONResponse):
    """A JSON response that may hold a lone surrogate, which UTF-8 can't encode."""

    def render(self, content: object) -> bytes:
        """Return the body. A lone surrogate becomes `\\udXXX`, which is the escape of JSON."""
        return json.dumps(content, ensure_ascii=False).encode("utf-8", "backslashreplace")


def add_error_handlers(app: FastAPI) -> None:
    """Add handlers: 404, 405, 422, 503 for the database and a wrong SECRET_KEY, 500."""
    app.add_exception_handler(HTTPStatus.NOT_FOUND, _not_found)
    app.add_exception_handler(HTTPStatus.METHOD_NOT_ALLOWED, _method_not_allowed)
    app.add_exception_handler(RequestValidationError, _unprocessable)
    app.add_exception_handler(InvalidRequest, _unprocessable)
    app.add_exception_handler(Exception, _failed)
    for error in DATABASE_ERRORS:
        app.add_exception_handler(error, _unavailable)
    app.add_exception_handler(ErasureSecretUnreadable, _wrong_key)


def error_detail(error: Exception) -> str | None:
    """Return the `detail` for a database error; None if the service itself is at fault."""
    state = getattr(error.orig if isinstance(error, DBAPIError) else error, "sqlstate", None)
    if state == CANCELLED or isinstance(error, TimeoutError):
        return SLOW
    if state is not None:
        if state[:2] in MISCONFIGURED:
            return describe(error)
        return BUSY if state[:2] in TEMPORARY else None
    if isinstance(error, DBAPIError):
        return BUSY if error.connection_invalidated or isinstance(error, InternalError) else None
    return BUSY


async def _not_found(request: Request, error: Exception) -> JSONResponse:
    """Return the 404 of a route, or the one of a path that no route has."""
    detail = NO_SUCH_PATH
    if isinstance(error, HTTPException) and "endpoint" in request.scope:
        detail = error.detail
    return JSONResponse(Detail(detail=detail).model_dump(), status_code=HTTPStatus.NOT_FOUND)


async def _method_not_allowed(request: Request, _: Exception) -> JSONResponse:
    """Return the 405 with the methods of every route that has this path."""
    allowed = sorted(
        {
            method
            for route in _routes(request.app)
            if route.matches(request.scope)[0] is not Match.NONE
            for method in getattr(route, "methods", None) or ()
        }
    )
    detail = NO_SUCH_METHOD.format(request.method, " or ".join(allowed))
    return JSONResponse(
        Detail(detail=detail).model_dump(),
        status_code=HTTPStatus.METHOD_NOT_ALLOWED,
        headers={"Allow": ", ".join(allowed)},
    )


def _routes(app: FastAPI) -> Iterator[BaseRoute]:
    """Yield every route, those of the routers that are included, too."""
    for route in app.routes:
        included = getattr(route, "original_router", None)
        yield from [route] if included is None else included.routes


async def _unprocessable(_: Request, error: Exception) -> JSONResponse:
    """Return the 422 that names each wrong field.

    The input is left out: it may be personal data, or a value that JSON does not have, as NaN.
    """
    if isinstance(error, InvalidRequest):
        problems = [*error.problems]
    elif isinstance(error, RequestValidationError):
        problems = problems_in(error.errors())
    else:
        raise error
    detail = [problem.model_dump() for problem in problems[:MAX_PROBLEMS]]
    return _EscapingResponse({"detail": detail}, status_code=422)


async def _failed(_: Request, __: Exception) -> JSONResponse:
    """Return the 500. The server logs the error, which is raised again after the response."""
    return JSONResponse(Detail(detail=FAILED).model_dump(), status_code=500)


async def _wrong_key(_: Request, error: Exception) -> JSONResponse:
    """Return the 503 that says which setting is wrong; the log says it, too."""
    return JSONResponse(Detail(detail=str(error)).model_dump(), status_code=503)


async def _unavailable(request: Request, error: Exception) -> JSONResponse:
    detail = error_detail(error) or await _schema_fault(request, error)
    if detail is None:
        raise error
    log.warning("api.database_away", error=type(error).__name__, detail=detail)
    return JSONResponse(Detail(detail=detail).model_dump(), status_code=503)


async def _schema_fault(request: Request, error: Exception) -> str | None:
    """Return the `detail` if a table or column is missing because the schema is behind."""
    if sqlstate_of(error) not in SCHEMA_STATES:
        return None
    behind = await migrate.is_behind(request.app.state.database.engine)
    return NOT_MIGRATED if behind else None
