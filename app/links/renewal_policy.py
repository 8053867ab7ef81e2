"""When the worker asks WeChat for the next URL Link. Pure. Source: linkage 5.1 and 5.6."""

import random
from datetime import datetime, time, timedelta
from typing import Final

from app.clock import SHANGHAI
from app.wechat.errcodes import Action
from app.wechat.errors import ApiError
from app.wechat_client.errors import NoToken, Paused

LIFE_DAYS: Final = 30
# The service reckons with a day less than it asks for: the clocks and the rounding are WeChat's.
LIFE: Final = timedelta(days=LIFE_DAYS - 1)
RENEW_AHEAD: Final = timedelta(days=7)
SPREAD_SECONDS: Final = 86_400
FIRST_PAUSE: Final = timedelta(seconds=5)
LONGEST_PAUSE: Final = timedelta(minutes=10)
PAUSE_AFTER_REFUSAL: Final = timedelta(hours=1)
MAX_DOUBLINGS: Final = 10
DAY_USED_UP: Final = frozenset({44993, 45009})


def renewal_after(now: datetime) -> datetime:
    """Return when a URL Link made now is renewed: 7 to 8 days before the service lets it end.

    Links that were made together are spread, so that they are not due together for ever.
    """
    spread = random.uniform(0, SPREAD_SECONDS)  # noqa: S311 - spreads load, hides nothing
    return now + LIFE - RENEW_AHEAD - timedelta(seconds=spread)


def next_day(now: datetime) -> datetime:
    """Return the next midnight in Shanghai, when the quotas of WeChat begin again."""
    tomorrow = now.astimezone(SHANGHAI).date() + timedelta(days=1)
    return datetime.combine(tomorrow, time(), SHANGHAI)


def uses_up_the_day(error: ApiError) -> bool:
    """Return whether WeChat makes no more links of this mini-program today."""
    return error.errcode in DAY_USED_UP


def is_refused(error: ApiError) -> bool:
    """Return whether WeChat refuses the target itself, so that waiting alone changes nothing.

    A fault of the account (no access token, no right to the API) tells nothing about the target.
    """
    if error.errcode is None or isinstance(error, Paused | NoToken):
        return False
    return error.action in {Action.PERMANENT, Action.CONFIGURATION}


def next_attempt(error: ApiError, attempts: int, now: datetime) -> datetime:
    """Return when to ask again. attempts: failed calls so far, this one included."""
    until = error.until if isinstance(error, Paused | NoToken) else None
    if until is not None:
        return until
    if uses_up_the_day(error):
        return next_day(now)
    if error.action in {Action.PERMANENT, Action.CONFIGURATION, Action.WAIT}:
        return now + PAUSE_AFTER_REFUSAL
    doublings = min(attempts - 1, MAX_DOUBLINGS)
    return now + min(FIRST_PAUSE * (1 << doublings), LONGEST_PAUSE)
