"""Which failures stop the calls of an account, and when these are tried again. Pure.

A fault of the configuration (no right, a wrong AppSecret, an address that is not listed) and a
used-up quota of the day or the minute stop one API of one account, or the cards that open one
mini-program: WeChat would refuse every further call. So does an outage, in which several calls in
a row get no answer: all others would fail as well, each at its own time. One call is let through
from time to time, and a success ends the pause; any answer ends that of an outage.
Source: protocol 11.
"""

from collections.abc import Sequence
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

# One call that fails tells nothing about the next one. So many in a row do, if no answer came
# between them: a gateway that restarts cuts off a few. They are few since each of them may be a
# message that can't be sent again; the time is enough for one call after the other of which each
# waits for its time limit.
OUTAGE_FAILURES: Final = 5
OUTAGE_WITHIN: Final = timedelta(seconds=30)
# Outages are mostly short, so the first calls are tried soon. From the second pause on, each is
# longer than the time limit of a call, so that one that hangs is the only one.
OUTAGE_PAUSES: Final = tuple(timedelta(seconds=seconds) for seconds in (2, 5, 10, 20, 30))


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

    @property
    def is_outage(self) -> bool:
        """Whether the calls wait since they got no answer; else WeChat refuses them."""
        return self.error.errcode is None

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


def begins_outage(failures: Sequence[datetime]) -> bool:
    """Return whether calls in a row that got no answer are reason for the others to wait.

    failures: the last ones without an answer between them, the oldest first.
    """
    if len(failures) < OUTAGE_FAILURES:
        return False
    return failures[-1] - failures[-OUTAGE_FAILURES] <= OUTAGE_WITHIN


def lasts(pause: Pause) -> bool:
    """Return whether a pause lasts longer than the shortest send window, which is a minute."""
    if pause.is_outage:
        return pause.probes >= len(OUTAGE_PAUSES)
    return pause.error.errcode != TOO_MANY_THIS_MINUTE


def pause_after(error: ApiError, probes: int, now: datetime) -> timedelta:
    """Return how long the calls wait after a failure. probes: that failed before it.

    The first refusal for a used-up quota stops the API until midnight in Shanghai.
    """
    if error.errcode is None:
        return OUTAGE_PAUSES[min(probes, len(OUTAGE_PAUSES) - 1)]
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
