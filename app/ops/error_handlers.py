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
from app.db import migrate
from app.db.diagnosis import NOT_MIGRATED, SCHEMA_STATES, describe, sqlstate_of
from app.db.engine import UNAVAILABLE_ERRORS
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

UNAVAILABLE: Final[dict[int | str, dict[str, Any]]] = {
    503: {
        "model": Detail,
        "description": "The database is unavailable or too slow, ADMIN_TOKENS is not set, or "
        "SECRET_KEY is not the key with which a secret was encrypted",
    }
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
    """Add handlers: 422 for invalid requests, 503 for the database and for a wrong SECRET_KEY."""
    app.add_exception_handler(RequestValidationError, _unprocessable)
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


async def _unprocessable(_: Request, error: Exception) -> JSONResponse:
    """Return the 422 that names each wrong field."""
    if not isinstance(error, RequestValidationError):
        raise error
    # The input is left out: it may be personal data, or a value that JSON does not have, as NaN.
    found = error.errors()[:MAX_PROBLEMS]
    problems = [{name: one[name] for name in ("loc", "msg", "type")} for one in found]
    return _EscapingResponse({"detail": problems}, status_code=422)


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
