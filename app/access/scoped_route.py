"""The class of the routes of `/api`: it checks the scope of the token."""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute

from app.access.caller import Caller
from app.access.scopes import SCOPE_MEMBER, ApiScope

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class ScopedRoute(APIRoute):
    """Refuses a caller without the scope that the route names with `openapi_extra=needs(…)`.

    The body is not read before. A route that names none can't be made. Who has no token at all is
    refused by `ops.auth.require_caller`.
    """

    def get_route_handler(self) -> Handler:
        """Return the handler that FastAPI calls. Raises TypeError if the route has no scope."""
        handle = self.get_handler_in_scope()
        extra = self.openapi_extra or {}
        if SCOPE_MEMBER not in extra:
            raise TypeError(f"{self.path} needs a scope: openapi_extra=needs(ApiScope.…)")
        scope = ApiScope(extra[SCOPE_MEMBER])

        async def handle_in_scope(request: Request) -> Response:
            caller: Caller | None = getattr(request.state, "caller", None)
            if caller is not None:
                await caller.use(scope)
            return await handle(request)

        return handle_in_scope

    def get_handler_in_scope(self) -> Handler:
        """Return the handler of requests whose token has the scope."""
        return super().get_route_handler()
