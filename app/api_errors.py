"""The bodies of all error responses of `/api`, and the error that names what to correct."""

from collections.abc import Sequence
from typing import Final

from pydantic import BaseModel

MAX_PROBLEMS: Final = 100
"""How many problems of one request are listed; further ones are not looked for."""


class Detail(BaseModel):
    """An error. detail: why the request was not carried out."""

    detail: str


class Problem(BaseModel):
    """One thing to correct. loc: the path of the field, outermost part first."""

    loc: list[str | int]
    msg: str
    type: str


class Problems(BaseModel):
    """All things to correct in one request."""

    detail: list[Problem]


class InvalidRequest(Exception):
    """The request can't be carried out. problems: what to correct."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__(f"{len(problems)} problems")
        self.problems = problems
