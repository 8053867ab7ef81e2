"""Query parameters of the routes of rules; unknown (or misspelt) ones are refused."""

from typing import Annotated, Final

from fastapi import Depends, Query
from pydantic import ConfigDict

from app.api_model import ApiModel


class Parameters(ApiModel):
    """The query parameters of a route. Any other one is an error."""

    model_config = ConfigDict(extra="forbid")


def _none_at_all(_: Annotated[Parameters, Query()]) -> None:
    """Refuse every query parameter."""


NO_PARAMETERS: Final = Depends(_none_at_all)
"""A dependency for routes without query parameters."""
