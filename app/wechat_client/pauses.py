"""Which errors of WeChat stop the calls of an account, and when they are tried again. Pure.

A fault of the configuration (no right, a wrong AppSecret, an address that is not listed) and a
used-up quota of the day or the minute stop one API of one account, or the cards that open one
mini-program: WeChat would refuse every further call. One call is let through from time to time,
and a success ends the pause.
Source: protocol 11.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from app.clock import SHANGHAI
from app.wechat.errcodes import Action
from app.wechat.errors import ApiError

QUOTA_OF_THE_DAY: Final = frozenset({44993, 45009, 85406})
TOO_MANY_THIS_MINUTE: Final = 45011
# They stop cards that open one mini-program, and no other message.
MINI_PROGRAM: Final = frozenset({40166, 40168, 85079})
# They concern one template, menu, message type or clearing of a quota, and not the API.
_NARROWER: Final = frozenset({40036, 40037, 43116, 45064, 48006, 48008, 85400})

FIRST_PAUSE: Final = timedelta(minutes=1)
# So many calls are let through a minute apart. Then each pause is twice the one before.
QUICK_PROBES: Final = 5
MAX_PAUSE: Final = timedelta(minutes=15)
# How long a call that was let through may take, and how often the others look meanwhile.
PROBE_TIME: Final = timedelta(seconds=10)
LOOK_AGAIN: Final = timedelta(seconds=2)
# The hour at which quotas start again is not verified (protocol 12), and they can be cleared.
QUOTA_PAUSE: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Pause:
    """Calls that wait. until: when one call is let through. probes: how many were so far.

    seen_at: of the latest refusal. probing_until: so long a call that was let through may take;
    whether the others may follow is known then.
    """

    error: ApiError
    seen_at: datetime
    until: datetime
    probes: int = 0
    probing_until: datetime | None = None

    def look_again_at(self, now: datetime) -> datetime:
        """Return when the others should look whether they may go on."""
        if self.probing_until is None or now >= self.probing_until:
            return self.until
        return min(self.until, now + LOOK_AGAIN)


def stops_calls(error: ApiError) -> bool:
    """Return whether WeChat would refuse every further call of this kind, too."""
    if error.errcode is None or error.errcode in _NARROWER:
        return False
    if error.errcode == TOO_MANY_THIS_MINUTE or error.errcode in QUOTA_OF_THE_DAY:
        return True
    return error.action is Action.CONFIGURATION


def pause_after(error: ApiError, probes: int, now: datetime) -> timedelta:
    """Return how long the calls wait after a refusal. probes: that were refused before it.

    The first refusal for a used-up quota stops the API until midnight in Shanghai.
    """
    if error.errcode in QUOTA_OF_THE_DAY:
        until_midnight = next_midnight(now) - now
        return min(until_midnight, QUOTA_PAUSE) if probes else until_midnight
    if probes < QUICK_PROBES or error.errcode == TOO_MANY_THIS_MINUTE:
        return FIRST_PAUSE
    # Bounded, since a factor for hundreds of probes would be too large for a timedelta.
    doublings = min(probes - QUICK_PROBES + 1, 10)
    return min(FIRST_PAUSE * (1 << doublings), MAX_PAUSE)


def next_midnight(now: datetime) -> datetime:
    """Return the next midnight in Shanghai. It is assumed that daily quotas start again then."""
    local = now.astimezone(SHANGHAI)
    return (local + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
