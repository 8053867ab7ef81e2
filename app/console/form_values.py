"""Types of values that come from a form, where an empty field means that there is none."""

from typing import Annotated, TypeVar

from pydantic import BeforeValidator

T = TypeVar("T")

Blank = Annotated[T | None, BeforeValidator(lambda value: None if value == "" else value)]
