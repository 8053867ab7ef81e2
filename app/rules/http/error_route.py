"""The class of routes that answer an invalid request with Problems (status 422)."""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse

from app.api_route import BoundedRoute
from app.rules.definition.validation_errors import (
    MAX_PROBLEMS,
    InvalidRequest,
    Problems,
    problems_in,
)


class ProblemRoute(BoundedRoute):
    """Answers an invalid request with Problems and status 422.

    The response does not repeat what was sent: that may hold characters that JSON can't, such as
    half of a surrogate pair.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler that FastAPI calls."""
        handle = super().get_route_handler()

        async def handle_with_problems(request: Request) -> Response:
            try:
                return await handle(request)
            except RequestValidationError as error:
                problems = problems_in(error.errors())
            except InvalidRequest as error:
                problems = [*error.problems]
            body = Problems(detail=problems[:MAX_PROBLEMS])
            return JSONResponse(body.model_dump(), status_code=422)

        return handle_with_problems
