"""The base class of the JSON models of `/api`, and the type of times that it takes."""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict

# Postgres can store these times in any time zone.
_FIRST = datetime(1970, 1, 1, tzinfo=UTC)
_LAST = datetime(9999, 1, 1, tzinfo=UTC)


class ApiModel(BaseModel):
    """A JSON model; the docstring below a field is its description in the OpenAPI document."""

    model_config = ConfigDict(use_attribute_docstrings=True)


def _in_range(time: datetime) -> datetime:
    if not _FIRST <= time < _LAST:
        raise ValueError("must be a time from 1970 to 9998")
    return time


Time = Annotated[AwareDatetime, AfterValidator(_in_range)]
