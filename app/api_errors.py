"""The body of all error responses of `/api`."""

from typing import Final

from pydantic import BaseModel

MAX_PROBLEMS: Final = 100
"""How many problems of one request are listed; further ones are not looked for."""


class Detail(BaseModel):
    """An error. detail: why the request was not carried out."""

    detail: str
