"""What is wrong with a rule, in the operator's words: the field, and what to do about it."""

from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from typing import Any

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from pydantic import BaseModel, ValidationError

_WORDS = {
    "missing": "is missing: add it",
    "extra_forbidden": "is not known here: check its spelling, or remove it",
    "union_tag_not_found": "needs {discriminator}, which says what kind it is",
    "union_tag_invalid": "{discriminator} must be one of {expected_tags}",
    "string_unicode": "holds half of a character (a lone surrogate): type it again",
    "json_invalid": "is not valid JSON: {error}",
}


class Problem(BaseModel):
    """One thing to correct. loc: where it is, outermost first."""

    loc: list[str | int]
    msg: str
    type: str


class Problems(BaseModel):
    """Everything to correct in one request."""

    detail: list[Problem]


def describe(error: ValidationError) -> str:
    """Return every problem of a rule in one line."""
    found = _problems(error.errors(include_url=False, include_input=False))
    return "; ".join(f"{'.'.join(map(str, problem.loc))}: {problem.msg}" for problem in found)


class ProblemRoute(APIRoute):
    """Answers a bad request with Problems.

    What was sent is not repeated: it may hold what no JSON text can, such as half a surrogate
    pair.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler that FastAPI calls."""
        handle = super().get_route_handler()

        async def handle_with_problems(request: Request) -> Response:
            try:
                return await handle(request)
            except RequestValidationError as error:
                body = Problems(detail=list(_problems(error.errors())))
                return JSONResponse(body.model_dump(), status_code=422)

        return handle_with_problems


def _problems(errors: Iterable[Mapping[str, Any]]) -> list[Problem]:
    return [
        Problem(
            loc=_without_tags(error["loc"]),
            msg=_words(error),
            type=error["type"],
        )
        for error in errors
    ]


def _words(error: Mapping[str, Any]) -> str:
    words = _WORDS.get(error["type"])
    if words is not None:
        return words.format(**error.get("ctx", {}))
    return str(error["msg"]).removeprefix("Value error, ")


def _without_tags(loc: Sequence[str | int]) -> list[str | int]:
    """Drop the kind of trigger or reply that pydantic puts behind its place in the document."""
    return [
        part
        for n, part in enumerate(loc)
        if not (n > 0 and loc[n - 1] == "trigger") and not (n > 1 and loc[n - 2] == "replies")
    ]
