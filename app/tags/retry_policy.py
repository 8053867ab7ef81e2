"""What a failed call means for a run. Pure. Source: protocol 8 and 11."""

from datetime import datetime, timedelta
from typing import Final

from app.wechat.errcodes import Action
from app.wechat.errors import ApiError
from app.wechat_client.errors import NoToken, Paused

BAD_OPENID: Final = 40003
UNKNOWN_TAG: Final = 45159
# They concern one person of a call, and fail the call for all of them.
OF_PERSON: Final = frozenset({BAD_OPENID, 43004, 45059, 46004, 49003, 50005})
FIRST_PAUSE: Final = timedelta(seconds=2)
LONGEST_PAUSE: Final = timedelta(minutes=10)
MAX_DOUBLINGS: Final = 10


def concerns_person(error: ApiError) -> bool:
    """Return whether the call would succeed without one of its people."""
    return error.errcode in OF_PERSON


def ends_run(error: ApiError) -> bool:
    """Return whether WeChat refuses the tag itself, so that waiting changes nothing.

    A fault of the account, such as no access token, is waited for.
    """
    if error.errcode is None or isinstance(error, Paused | NoToken):
        return False
    return error.action is Action.PERMANENT


def next_attempt(error: ApiError, attempts: int, now: datetime) -> datetime:
    """Return when to call again. attempts: failed calls so far, this one included.

    A call may be repeated after any failure: tagging a follower twice changes nothing.
    """
    until = error.until if isinstance(error, Paused | NoToken) else None
    if until is not None:
        return until
    doublings = min(attempts - 1, MAX_DOUBLINGS)
    return now + min(FIRST_PAUSE * (1 << doublings), LONGEST_PAUSE)
