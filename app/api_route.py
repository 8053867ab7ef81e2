"""The class of the routes of `/api` that take a JSON body."""

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError

from app.access.scoped_route import Handler, ScopedRoute
from app.json_values import TOO_MANY, too_many_in


class BoundedRoute(ScopedRoute):
    """Counts the values of a JSON body before it is validated. See `json_values`."""

    def get_handler_in_scope(self) -> Handler:
        """Return the handler of requests whose token has the scope."""
        handle = super().get_handler_in_scope()
        if self.body_field is None:
            return handle

        async def handle_bounded(request: Request) -> Response:
            if too_many_in(await request.body()):
                error = {"type": "value_error", "loc": ("body",), "msg": TOO_MANY}
                raise RequestValidationError([error | {"ctx": {"error": TOO_MANY}}])
            return await handle(request)

        return handle_bounded
