"""The class of the routes of `/api` that take a JSON body."""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute

from app.json_values import TOO_MANY, too_many_in


class BoundedRoute(APIRoute):
    """Counts the values of a JSON body before it is validated. See `json_values`."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler that FastAPI calls."""
        handle = super().get_route_handler()
        if self.body_field is None:
            return handle

        async def handle_bounded(request: Request) -> Response:
            if too_many_in(await request.body()):
                error = {"type": "value_error", "loc": ("body",), "msg": TOO_MANY}
                raise RequestValidationError([error | {"ctx": {"error": TOO_MANY}}])
            return await handle(request)

        return handle_bounded
