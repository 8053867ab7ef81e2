"""Text that an operator writes: strict types shared by triggers, conditions and rules."""

from datetime import datetime
from typing import Annotated

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
)
from pydantic_core import PydanticCustomError

from app.wechat.outbound.base import not_blank


def storable(text: str) -> str:
    """Return `text`. Raises ValueError for what Postgres can't store."""
    if "\x00" in text:
        raise ValueError("holds a NUL character: remove it")
    return text


Words = Annotated[str, Field(min_length=1), AfterValidator(storable), AfterValidator(not_blank)]
"""Text of an operator: something to see in it, and storable."""

Trimmed = Annotated[Words, StringConstraints(strip_whitespace=True)]
"""Scenes and keys arrive trimmed, so one with blanks around it would never be met."""


def _written_out(moment: object) -> object:
    # Pydantic takes a bare number for seconds or milliseconds, whichever it looks like.
    if isinstance(moment, datetime) or (isinstance(moment, str) and ":" in moment):
        return moment
    raise PydanticCustomError("datetime_parsing", "is not written out")


Moment = Annotated[AwareDatetime, BeforeValidator(_written_out)]
"""With its date, its time and its time zone."""


class Strict(BaseModel):
    """Part of a rule. An unknown member is an error, not a silent loss."""

    model_config = ConfigDict(frozen=True, extra="forbid", serialize_by_alias=True)


def unset(value: object) -> bool:
    """Tell that an optional member has its usual value, so that it is not written either."""
    return value is None or value is False
