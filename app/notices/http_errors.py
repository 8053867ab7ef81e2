"""HTTP errors of `/api/notices`, `/api/notice-sends` and `/api/templates`."""

from typing import Any, Final
from uuid import UUID

from fastapi import HTTPException

from app.api_errors import Detail, InvalidRequest, Problem

UNKNOWN_NOTICE: Final[dict[int | str, dict[str, Any]]] = {
    404: {"model": Detail, "description": "The notice does not exist"}
}
UNKNOWN_SEND: Final[dict[int | str, dict[str, Any]]] = {
    404: {"model": Detail, "description": "The send does not exist"}
}
CONFLICT: Final[dict[int | str, dict[str, Any]]] = {
    409: {"model": Detail, "description": "It conflicts with what exists; the detail says how"}
}


def unknown_notice(notice_id: UUID) -> HTTPException:
    """Return the 404 of a notice that does not exist."""
    return HTTPException(404, f"notice {notice_id} does not exist")


def unknown_send(send_id: UUID) -> HTTPException:
    """Return the 404 of a send that does not exist."""
    return HTTPException(404, f"send {send_id} does not exist")


def unprocessable(field: str, message: str, part: str = "body") -> InvalidRequest:
    """Return a 422 for one member of a part of the request. message: says how to correct it."""
    return InvalidRequest([Problem(loc=[part, field], msg=message, type="value_error")])
