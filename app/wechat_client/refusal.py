"""The answer of `/api` to a call that WeChat refused while somebody waited for it."""

from fastapi import HTTPException

from app.wechat.errcodes import Action, explain
from app.wechat.errors import ApiError


def refused(error: ApiError) -> HTTPException:
    """Return the error for a call that WeChat refused: what it means, what to do, and the rid."""
    if error.errcode is None:
        return HTTPException(502, f"WeChat did not answer: {error.errmsg}")
    status = 429 if error.action is Action.WAIT else 502
    return HTTPException(status, refusal_text(error.errcode, error.rid))


def refusal_text(errcode: int, rid: str | None) -> str:
    """Return one line in English: the errcode, what it means, what to do, and the rid."""
    known = explain(errcode, "en", rid, is_repeated=False)
    shown = "" if rid is None else f" (rid {rid})"
    return f"WeChat refuses with errcode {errcode}: {known.meaning} {known.fix}{shown}"
