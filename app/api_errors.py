"""The body of a request that was not carried out, the same all over `/api`."""

from pydantic import BaseModel


class Detail(BaseModel):
    """Why a request was not carried out."""

    detail: str
