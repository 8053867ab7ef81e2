"""What a failed call means for the publication of a menu. Pure. Source: protocol 11."""

from datetime import datetime, timedelta
from typing import Final

from app.wechat.errcodes import Action
from app.wechat.errors import ApiError
from app.wechat_client.errors import NoToken, Paused

FIRST_PAUSE: Final = timedelta(seconds=2)
LONGEST_PAUSE: Final = timedelta(minutes=10)
MAX_DOUBLINGS: Final = 10


def is_refused(error: ApiError) -> bool:
    """Return whether WeChat refuses the menu itself, so that waiting changes nothing.

    A fault of the account (no access token, no right to the API) ends without a new version.
    """
    if error.errcode is None or isinstance(error, Paused | NoToken):
        return False
    return error.action in {Action.PERMANENT, Action.CONFIGURATION}


def next_attempt(error: ApiError, attempts: int, now: datetime) -> datetime:
    """Return when to ask again. attempts: failed calls so far, this one included."""
    until = error.until if isinstance(error, Paused | NoToken) else None
    if until is not None:
        return until
    doublings = min(attempts - 1, MAX_DOUBLINGS)
    return now + min(FIRST_PAUSE * (1 << doublings), LONGEST_PAUSE)
