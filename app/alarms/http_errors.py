"""HTTP errors of `/api/alarms`."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final
from uuid import UUID

from fastapi import HTTPException

from app.alarms.errors import BadReceiver, BadThreshold, StaleThreshold
from app.alarms.kinds import AlarmKind
from app.api_errors import Detail, InvalidRequest, Problem

UNKNOWN: Final[dict[int | str, dict[str, Any]]] = {
    404: {"model": Detail, "description": "The receiver does not exist"}
}
NOT_SET: Final[dict[int | str, dict[str, Any]]] = {
    404: {"model": Detail, "description": "No such threshold is set"}
}
STALE_THRESHOLD: Final[dict[int | str, dict[str, Any]]] = {
    412: {"model": Detail, "description": "The threshold has been changed since it was read"}
}
TOO_MANY: Final[dict[int | str, dict[str, Any]]] = {
    409: {"model": Detail, "description": "There are as many receivers as there may be"}
}
JUST_TESTED: Final[dict[int | str, dict[str, Any]]] = {
    **UNKNOWN,
    429: {"model": Detail, "description": "The receiver was sent a test just now"},
}


def unknown(receiver_id: UUID) -> HTTPException:
    """Return the 404 of a receiver that does not exist."""
    return HTTPException(404, f"alarm receiver {receiver_id} does not exist")


@contextmanager
def http_errors(kind: AlarmKind) -> Iterator[None]:
    """Turn the error of a threshold that was not read into that of HTTP."""
    try:
        yield
    except StaleThreshold as stale:
        raise HTTPException(
            412,
            f"the threshold of {kind} has been changed since it was read: set is now {stale.tag}; "
            "read it again, and change that",
            headers={"ETag": f'"{stale.tag}"'},
        ) from None


def unprocessable(error: BadReceiver | BadThreshold) -> InvalidRequest:
    """Return a 422 for the member that is wrong."""
    return InvalidRequest(
        [Problem(loc=["body", *error.field.split(".")], msg=str(error), type="value_error")]
    )
