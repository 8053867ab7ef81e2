"""Field types that triggers, conditions and rules share."""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
)
from pydantic_core import PydanticCustomError

from app.api_model import ApiModel
from app.wechat.outbound.base import not_blank, seen


def storable(text: str) -> str:
    """Return `text` unchanged. Raises ValueError for a NUL, which Postgres can't store."""
    if "\x00" in text:
        raise ValueError("holds a NUL character: remove it")
    return text


Words = Annotated[str, Field(min_length=1), AfterValidator(storable), AfterValidator(not_blank)]
"""Text that an operator writes: it is not blank, and Postgres can store it."""

Name = Annotated[Words, AfterValidator(seen)]
"""What operators find something again by: it has a character that can be seen."""

# The extra: without it, requests and responses have two types in the OpenAPI document.
Trimmed = Annotated[
    Words, StringConstraints(strip_whitespace=True), Field(json_schema_extra={"minLength": 1})
]
"""Text without blanks at its ends: scenes and keys arrive so, and would not match otherwise."""


def _with_date_and_time(moment: object) -> object:
    # Pydantic would read a bare number as seconds or milliseconds, guessed by its size.
    if isinstance(moment, datetime) or (isinstance(moment, str) and ":" in moment):
        return moment
    raise PydanticCustomError("datetime_parsing", "is not written out")


def _in_utc(moment: datetime) -> datetime:
    # Postgres and whoever shows it reckon it into another time zone.
    try:
        moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("must be a time of the years 1 to 9999 in UTC: correct it") from None
    return moment


Moment = Annotated[AwareDatetime, BeforeValidator(_with_date_and_time), AfterValidator(_in_utc)]
"""A time given with its date and its time zone."""


class Strict(ApiModel):
    """Base of every part of a rule. An unknown member is an error and is not dropped silently."""

    model_config = ConfigDict(frozen=True, extra="forbid", serialize_by_alias=True)


def unset(value: object) -> bool:
    """Tell whether an optional member is null or false, so that the JSON leaves it out."""
    return value is None or value is False
