"""The class of the routes of `/api` that take a JSON body."""

import json
import re
from typing import Final

from fastapi import HTTPException, Request, Response

from app.access.scoped_route import Handler, ScopedRoute
from app.api_errors import InvalidRequest, Problem
from app.json_values import MAX_VALUES, too_many, too_many_in

UNREADABLE: Final = (
    "can't be read: put fewer lists and objects into each other, and write shorter numbers"
)

_JSON: Final = re.compile(r"application/(?:[^/\s]+\+)?json")


class BoundedRoute(ScopedRoute):
    """Refuses a body that is not JSON, or holds too many values, before it is validated.

    A body without Content-Type is read as JSON. See `json_values` for the values.
    max_values: how many; a subclass for larger requests may raise it.
    """

    max_values = MAX_VALUES

    def get_handler_in_scope(self) -> Handler:
        """Return the handler of requests whose token has the scope."""
        handle = super().get_handler_in_scope()
        if self.body_field is None:
            return handle

        async def handle_bounded(request: Request) -> Response:
            body = await request.body()
            _require_json(request, body)
            if too_many_in(body, self.max_values):
                raise InvalidRequest(
                    [Problem(loc=["body"], msg=too_many(self.max_values), type="value_error")]
                )
            if body:
                await _require_readable(request)
            return await handle(request)

        return handle_bounded


def _require_json(request: Request, body: bytes) -> None:
    """Raise HTTPException 415 for another Content-Type, and 400 for bytes that are not text."""
    given = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if body and given and not _JSON.fullmatch(given):
        raise HTTPException(415, "send the body as JSON, with Content-Type: application/json")
    try:
        body.decode(json.detect_encoding(body))
    except UnicodeDecodeError:
        raise HTTPException(400, "the body is not UTF-8 text: encode it as UTF-8") from None


async def _require_readable(request: Request) -> None:
    """Raise InvalidRequest for JSON that Python can't read, such as a list in 1,000 others."""
    try:
        await request.json()  # FastAPI takes what this returned
    except json.JSONDecodeError:
        return  # FastAPI says where
    except (RecursionError, ValueError):
        raise InvalidRequest([Problem(loc=["body"], msg=UNREADABLE, type="json_invalid")]) from None
