"""Why a request for a webhook is not carried out, as HTTP tells it."""

from typing import Any

from fastapi import HTTPException
from fastapi.exceptions import RequestValidationError

from app.api_errors import Detail

BAD_BODY: dict[int | str, dict[str, Any]] = {
    400: {"model": Detail, "description": "The body is not UTF-8 text"}
}
UNKNOWN: dict[int | str, dict[str, Any]] = {
    404: {"model": Detail, "description": "There is no webhook with this id"}
}


def unknown() -> HTTPException:
    """Return the 404 of a webhook that is not there."""
    return HTTPException(404, "there is no webhook with this id")


def unprocessable(field: str, message: str, value: object) -> RequestValidationError:
    """Return a 422 that names a member of the body and says how to correct it."""
    return RequestValidationError(
        [{"type": "value_error", "loc": ("body", field), "msg": message, "input": value}]
    )
