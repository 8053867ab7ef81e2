"""HTTP errors of `/api/webhooks`."""

from typing import Any
from uuid import UUID

from fastapi import HTTPException

from app.api_errors import Detail, InvalidRequest, Problem

UNKNOWN: dict[int | str, dict[str, Any]] = {
    404: {"model": Detail, "description": "The webhook does not exist"}
}


def unknown(webhook_id: UUID) -> HTTPException:
    """Return the 404 of a webhook that does not exist."""
    return HTTPException(404, f"webhook {webhook_id} does not exist")


def unprocessable(field: str, message: str) -> InvalidRequest:
    """Return a 422 for one member of the body. message: says how to correct it."""
    return InvalidRequest([Problem(loc=["body", field], msg=message, type="value_error")])
