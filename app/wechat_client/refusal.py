"""The answer of `/api` to a call that WeChat refused while somebody waited for it."""

from datetime import datetime, timedelta
from math import ceil
from typing import Any, Final

from fastapi import HTTPException

from app.api_errors import Detail
from app.wechat.errcodes import Action, explain
from app.wechat.errors import ApiError
from app.wechat_client.errors import NoToken, Paused
from app.wechat_client.pauses import QUOTA_OF_THE_DAY, next_midnight

# WeChat asks to slow down, and names no time. Source: protocol 11.
_RATES: Final = {44990: timedelta(seconds=1), 45011: timedelta(seconds=60)}

REFUSED: Final[dict[int | str, dict[str, Any]]] = {
    429: {
        "model": Detail,
        "description": "The quota or the rate of WeChat's API is used up",
        "headers": {"Retry-After": {"description": "In seconds", "schema": {"type": "string"}}},
    },
    502: {"model": Detail, "description": "WeChat refuses, or does not answer"},
}
"""What a route may answer for which somebody waits while WeChat is called."""


def refused(error: ApiError, now: datetime) -> HTTPException:
    """Return the error for a call that WeChat refused: what it means, what to do, and the rid.

    It is 429 if the call may be made later as it is: when `Retry-After` says.
    """
    until = error.until if isinstance(error, NoToken | Paused) else None
    if error.errcode is None:
        if until is None or (isinstance(error, NoToken | Paused) and error.unanswered):
            return HTTPException(502, f"WeChat did not answer: {error.errmsg}")
        return slow_down(f"{error.errmsg}. Try again later.", until, now)
    detail = refusal_text(error.errcode, error.rid)
    if error.errcode in _RATES:
        return slow_down(detail, until or now + _RATES[error.errcode], now)
    if error.errcode in QUOTA_OF_THE_DAY:
        return slow_down(detail, until or next_midnight(now), now)
    return HTTPException(429 if error.action is Action.WAIT else 502, detail)


def slow_down(detail: str, until: datetime, now: datetime) -> HTTPException:
    """Return the error for a call that may be made at `until`."""
    seconds = max(ceil((until - now).total_seconds()), 1)
    return HTTPException(429, detail, {"Retry-After": str(seconds)})


def refusal_text(errcode: int, rid: str | None) -> str:
    """Return one line in English: the errcode, what it means, what to do, and the rid."""
    known = explain(errcode, "en", rid, is_repeated=False)
    shown = "" if rid is None else f" (rid {rid})"
    return f"WeChat refuses with errcode {errcode}: {known.meaning} {known.fix}{shown}"
