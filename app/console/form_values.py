"""Types of values that come from a form or an address."""

from typing import Annotated, TypeVar

from pydantic import BeforeValidator

T = TypeVar("T")


def _given(value: object) -> object:
    """Return a value without NULs, which Postgres does not store; None if nothing is left."""
    if isinstance(value, str):
        value = value.replace("\x00", "")
    return None if value == "" else value


# An empty field means that there is none.
Blank = Annotated[T | None, BeforeValidator(_given)]
