"""The bodies of all error responses of `/api`, and the error that names what to correct."""

from collections.abc import Sequence
from typing import Final

from app.api_model import ApiModel

MAX_PROBLEMS: Final = 100
"""How many problems of one request are listed; further ones are not looked for."""


class Detail(ApiModel):
    """An error."""

    detail: str
    """Why the request was not carried out, and what to do."""


class Problem(ApiModel):
    """One thing to correct."""

    loc: list[str | int]
    """The path of the field, outermost part first."""
    msg: str
    """What is wrong, and how to correct it."""
    type: str
    """The kind of problem, for programs."""


class Problems(ApiModel):
    """All things to correct in one request."""

    detail: list[Problem]
    """What to correct, field by field."""


class InvalidRequest(Exception):
    """The request can't be carried out. problems: what to correct."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__(f"{len(problems)} problems")
        self.problems = problems
