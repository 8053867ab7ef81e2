"""Query parameters of the rules' paths. One that is misspelt is refused, never taken for none."""

from typing import Annotated, Final

from fastapi import Depends, Query
from pydantic import BaseModel, ConfigDict


class Parameters(BaseModel):
    """What a path takes behind its `?`, and nothing else."""

    model_config = ConfigDict(extra="forbid")


def _none_at_all(_: Annotated[Parameters, Query()]) -> None:
    """Let nothing through."""


NO_PARAMETERS: Final = Depends(_none_at_all)
"""For a path that takes none."""
