"""HTTP errors of `/api/links`."""

from typing import Any, Final
from uuid import UUID

from fastapi import HTTPException

from app.api_errors import Detail, InvalidRequest, Problem

UNKNOWN: Final[dict[int | str, dict[str, Any]]] = {
    404: {"model": Detail, "description": "The link does not exist"}
}
CONFLICT: Final[dict[int | str, dict[str, Any]]] = {
    409: {"model": Detail, "description": "The slug is taken, or there are too many links"}
}


def unknown(link_id: UUID) -> HTTPException:
    """Return the 404 of a link that does not exist."""
    return HTTPException(404, f"link {link_id} does not exist")


def unprocessable(field: str, message: str, part: str = "body") -> InvalidRequest:
    """Return a 422 for one member of a part of the request. message: says how to correct it."""
    return InvalidRequest([Problem(loc=[part, field], msg=message, type="value_error")])
