"""Checks that the body of a PUT leaves alone what only the service sets."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Final

from pydantic import BaseModel

from app.api_errors import InvalidRequest, Problem

# JavaScript knows no microseconds.
_CLIENT_PRECISION: Final = timedelta(milliseconds=1)


def require_unchanged(sent: BaseModel, stored: object, *members: str) -> None:
    """Refuse a PUT that changes what only the service sets. Raises InvalidRequest.

    sent: the body; a member that it leaves out is not compared. stored: what has the true values.
    """
    if problems := list(_changes(sent, stored, members)):
        raise InvalidRequest(problems)


def _changes(sent: BaseModel, stored: object, members: tuple[str, ...]) -> Iterator[Problem]:
    for name in members:
        value = getattr(stored, name)
        if name in sent.model_fields_set and not _equal(getattr(sent, name), value):
            shown = value.isoformat() if isinstance(value, datetime) else value
            yield Problem(
                loc=["body", name],
                msg=f"is set by the service and is {shown}: send it unchanged, or leave it out",
                type="read_only",
            )


def _equal(sent: Any, stored: Any) -> bool:  # noqa: ANN401 - of any member
    if isinstance(sent, datetime) and isinstance(stored, datetime):
        return abs(sent - stored) < _CLIENT_PRECISION
    return bool(sent == stored)
