"""What is wrong with a rule, in the operator's words: the field, and what to do about it."""

from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from typing import Any

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from pydantic import BaseModel, ValidationError

MAX_PROBLEMS = 100

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
    found = problems_in(error.errors(include_url=False, include_input=False))
    return "; ".join(f"{'.'.join(map(str, problem.loc))}: {problem.msg}" for problem in found)


class Refused(Exception):
    """A request that can't be carried out as it is. problems: what to correct."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__(f"{len(problems)} problems")
        self.problems = problems


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
                problems = problems_in(error.errors())
            except Refused as error:
                problems = [*error.problems]
            body = Problems(detail=problems[:MAX_PROBLEMS])
            return JSONResponse(body.model_dump(), status_code=422)

        return handle_with_problems


def problems_in(errors: Iterable[Mapping[str, Any]], *outside: str | int) -> list[Problem]:
    """Return what pydantic found, in the operator's words. outside: what leads to the document."""
    return [
        Problem(
            loc=[*outside, *_without_tags(error["loc"]), *_field(error)],
            msg=_words(error),
            type=error["type"],
        )
        for error in errors
    ]


def _field(error: Mapping[str, Any]) -> list[str | int]:
    """Return the member that a problem of a whole part is about, if it names one."""
    field = error.get("ctx", {}).get("field")
    if field is None:
        return []
    return [int(part) if part.isdigit() else part for part in field.split(".")]


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
