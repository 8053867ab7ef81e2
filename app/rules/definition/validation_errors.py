"""Validation errors as operators read them: the field, what is wrong, and how to correct it."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from app.api_errors import MAX_PROBLEMS, InvalidRequest, Problem, Problems
from app.rules.definition.validation_messages import message_for

_NUMBER_KINDS = ("float", "int")

__all__ = ["MAX_PROBLEMS", "InvalidRequest", "Problem", "Problems", "describe", "problems_in"]


def describe(error: ValidationError) -> str:
    """Return all problems of a document in one line."""
    found = problems_in(error.errors(include_url=False, include_input=False))
    named = [(".".join(map(str, problem.loc)), problem.msg) for problem in found]
    return "; ".join(f"{where}: {what}" if where else what for where, what in named)


def problems_in(errors: Iterable[Mapping[str, Any]], *outside: str | int) -> list[Problem]:
    """Return pydantic's errors as problems; for each field only the first one.

    outside: the path of the validated document inside the request.
    """
    found: dict[tuple[str | int, ...], Problem] = {}
    for error in errors:
        loc = [*outside, *_without_union_tags(error["loc"]), *_field(error)]
        # Pydantic counts only the valid items of a list, so that an invalid one makes it too short.
        if error["type"] == "too_short" and any(inner[: len(loc)] == (*loc,) for inner in found):
            continue
        found.setdefault(tuple(loc), Problem(loc=loc, msg=message_for(error), type=error["type"]))
    return [*found.values()]


def _field(error: Mapping[str, Any]) -> list[str | int]:
    """Return the path of the member that the error of an object is about, if it names one."""
    field = error.get("ctx", {}).get("field")
    if field is None:
        return []
    return [int(part) if part.isdigit() else part for part in field.split(".")]


def _without_union_tags(loc: Sequence[str | int]) -> list[str | int]:
    """Return a path without the parts that pydantic adds for unions.

    These are the kind of a trigger or reply, and the kind of number that was tried.
    """
    return [
        part
        for n, part in enumerate(loc)
        if not (n > 0 and loc[n - 1] == "trigger")
        and not (n > 1 and loc[n - 2] == "replies")
        and not (n > 1 and n == len(loc) - 1 and part in _NUMBER_KINDS)
    ]
