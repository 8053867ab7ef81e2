"""What is wrong with a rule, in the operator's words: the field, and what to do about it."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ValidationError

from app.rules.definition.validation_messages import complaint

MAX_PROBLEMS = 100

_OF_A_UNION = ("float", "int")


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


class InvalidRequest(Exception):
    """A request that can't be carried out as it is. problems: what to correct."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__(f"{len(problems)} problems")
        self.problems = problems


def problems_in(errors: Iterable[Mapping[str, Any]], *outside: str | int) -> list[Problem]:
    """Return what pydantic found, in the operator's words. outside: what leads to the document.

    Of one field only the first problem is told.
    """
    found: dict[tuple[str | int, ...], Problem] = {}
    for error in errors:
        loc = [*outside, *_without_tags(error["loc"]), *_field(error)]
        # Pydantic counts only the good items of a list: one that is bad makes it too short.
        if error["type"] == "too_short" and any(inner[: len(loc)] == (*loc,) for inner in found):
            continue
        found.setdefault(tuple(loc), Problem(loc=loc, msg=complaint(error), type=error["type"]))
    return [*found.values()]


def _field(error: Mapping[str, Any]) -> list[str | int]:
    """Return the member that a problem of a whole part is about, if it names one."""
    field = error.get("ctx", {}).get("field")
    if field is None:
        return []
    return [int(part) if part.isdigit() else part for part in field.split(".")]


def _without_tags(loc: Sequence[str | int]) -> list[str | int]:
    """Drop what pydantic puts behind the place in the document: kinds of triggers and replies,
    and which of the kinds of number it has tried.
    """
    return [
        part
        for n, part in enumerate(loc)
        if not (n > 0 and loc[n - 1] == "trigger")
        and not (n > 1 and loc[n - 2] == "replies")
        and not (n > 1 and n == len(loc) - 1 and part in _OF_A_UNION)
    ]
