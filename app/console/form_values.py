"""Types of values that come from a form or an address."""

from typing import Annotated, TypeVar

from pydantic import BeforeValidator

T = TypeVar("T")


def _filled(value: object) -> object:
    # Postgres has no NUL, so that nothing can have it.
    written = value.replace("\x00", "") if isinstance(value, str) else value
    return None if written == "" else written


Blank = Annotated[T | None, BeforeValidator(_filled)]
