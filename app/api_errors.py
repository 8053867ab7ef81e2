"""The body of all error responses of `/api`."""

from pydantic import BaseModel


class Detail(BaseModel):
    """An error. detail: why the request was not carried out."""

    detail: str
