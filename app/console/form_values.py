"""Types of values that come from a form, where an empty field means that there is none."""

from datetime import date
from typing import Annotated, Final, TypeVar

from pydantic import BeforeValidator, Field

T = TypeVar("T")

# Whatever the time zone, the day before and the day after are times that can be reckoned with.
_FIRST: Final = date(1970, 1, 2)
_LAST: Final = date(2999, 1, 1)

Day = Annotated[date, Field(ge=_FIRST, le=_LAST)]
"""A day that somebody may ask for."""


def _given(value: object) -> object:
    if isinstance(value, str):
        # Postgres has no such character, so that nothing can have it.
        value = value.replace("\x00", "")
    return None if value == "" else value


Blank = Annotated[T | None, BeforeValidator(_given)]
