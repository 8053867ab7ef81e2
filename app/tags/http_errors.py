"""HTTP errors of `/api/tags`."""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from fastapi import HTTPException

from app.api_errors import Detail, InvalidRequest, Problem
from app.tags.errors import TagError, UnknownTag
from app.wechat.errors import ApiError, TransportError
from app.wechat_client import refusal

Responses = dict[int | str, dict[str, Any]]

UNKNOWN: Final[Responses] = {404: {"model": Detail, "description": "It does not exist"}}
CONFLICT: Final[Responses] = {
    409: {"model": Detail, "description": "The state of the tag or of the run does not allow it"}
}
# They say that the request itself can't be carried out as things are.
_OF_TAGS: Final = frozenset({45056, 45057, 45058, 45157, 45158})
MAYBE_DONE: Final = "WeChat may have done it all the same: read the tags with POST /api/tags/pull"


def failed(error: TagError) -> HTTPException:
    """Return the 404 or 409 of an error."""
    return HTTPException(404 if isinstance(error, UnknownTag) else 409, str(error))


def unknown_run(run_id: UUID) -> HTTPException:
    """Return the 404 of a run that does not exist."""
    return HTTPException(404, f"run {run_id} does not exist")


def refused(error: ApiError, now: datetime) -> HTTPException:
    """Return the error for a call that WeChat refused; see `app.wechat_client.refusal`."""
    found = refusal.refused(error, now)
    if error.errcode in _OF_TAGS:
        return HTTPException(409, found.detail)
    if isinstance(error, TransportError) and error.outcome_unknown:
        return HTTPException(found.status_code, f"{found.detail}. {MAYBE_DONE}")
    return found


def unprocessable(field: str, message: str, part: str = "body") -> InvalidRequest:
    """Return a 422 for one member of a part of the request. message: says how to correct it."""
    return InvalidRequest([Problem(loc=[part, field], msg=message, type="value_error")])
