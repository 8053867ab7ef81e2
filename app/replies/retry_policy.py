"""Decides what happens to a reply after a failed send. Pure. Source: protocol 6.6 and 11."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from app.replies.models import ReplyStatus
from app.wechat.errcodes import Action
from app.wechat.errors import ApiError, TransportError
from app.wechat_client.errors import MediaNotFetched, NoToken, Paused
from app.wechat_client.pauses import QUOTA_OF_THE_DAY, TOO_MANY_THIS_MINUTE, next_midnight

# Delay after the first, second, … failure; the last one holds for all further ones. Only the end
# of the send window ends the retries: an outage of an hour must not lose a card that has two days.
BACKOFF_SECONDS = (1.0, 4.0, 15.0, 60.0, 240.0, 900.0)
SLOW_DOWN = timedelta(seconds=60)
MAX_FETCHES = 6

# How the errmsg of a reply begins that may have arrived.
UNKNOWN = "outcome unknown"
WINDOW_CLOSED = frozenset({45015, 45047})  # the time is over; the sends are used up
NOT_FOLLOWING = frozenset({43004, 50005})

# The quota of every account starts again at the same moment; this spreads the calls.
AFTER_MIDNIGHT = timedelta(minutes=10)
# When calls may go on again, one is tried first.
AFTER_PAUSE = timedelta(seconds=1)


class WindowVerdict(StrEnum):
    """What an attempt says about the follower's send windows. used: it may have cost one send."""

    OPEN = "open"
    CLOSED = "closed"
    USED = "used"


@dataclass(frozen=True, slots=True)
class SendOutcome:
    """The new state of a reply. retry_in: from now; set when the status is pending."""

    status: ReplyStatus
    errcode: int | None
    errmsg: str
    retry_in: timedelta | None = None
    window: WindowVerdict = WindowVerdict.OPEN
    rid: str | None = None


def outcome_of(error: ApiError, *, attempts: int, jitter: float, now: datetime) -> SendOutcome:
    """Return what to do after a failed attempt.

    attempts: so far, including this one. jitter: 0.0 to 1.0, lengthens the delay by up to a half.
    """
    return replace(_outcome_of(error, attempts, jitter, now), rid=error.rid)


def _outcome_of(error: ApiError, attempts: int, jitter: float, now: datetime) -> SendOutcome:
    text = error.errmsg
    if isinstance(error, NoToken | Paused) and error.until is not None:
        return paused(error, error.until, now=now, jitter=jitter)
    # Without an access token nothing was sent, and an operator may correct the account.
    if isinstance(error, NoToken) and error.action is not Action.RETRY:
        return SendOutcome(ReplyStatus.PENDING, error.errcode, text, SLOW_DOWN * (1 + jitter / 2))
    if error.action is Action.WAIT:
        return _wait(error, now, jitter)
    if error.errcode in NOT_FOLLOWING:
        return SendOutcome(ReplyStatus.SKIPPED, error.errcode, text)
    if error.action in {Action.RETRY, Action.REFRESH_TOKEN}:
        delay = _backoff(error.errcode, attempts, jitter)
        return SendOutcome(ReplyStatus.PENDING, error.errcode, text, delay)
    return SendOutcome(ReplyStatus.FAILED, error.errcode, text)


def unknown_outcome(error: TransportError) -> SendOutcome:
    """Return the state of a reply that may have arrived: it fails and is not repeated.

    custom/send has no idempotency key, so a retry could send the message twice (protocol 6.2).
    WeChat may have counted it, so it counts as one of the sends that the window allows.
    """
    text = f"{UNKNOWN}: {error.errmsg}"
    return SendOutcome(ReplyStatus.FAILED, None, text, window=WindowVerdict.USED)


def not_fetched(error: MediaNotFetched, *, attempts: int, jitter: float) -> SendOutcome:
    """Return what to do when the address of a medium did not answer.

    Whoever named the address must not keep this service calling it for two days.
    """
    if attempts >= MAX_FETCHES:
        return SendOutcome(ReplyStatus.FAILED, None, str(error))
    return SendOutcome(ReplyStatus.PENDING, None, str(error), _backoff(None, attempts, jitter))


def paused(error: ApiError, until: datetime, *, now: datetime, jitter: float) -> SendOutcome:
    """Return the state of a reply whose account or mini-program WeChat refuses until then."""
    spread = AFTER_MIDNIGHT if error.errcode in QUOTA_OF_THE_DAY else AFTER_PAUSE
    pause = max(until - now, AFTER_PAUSE) + spread * jitter
    return SendOutcome(ReplyStatus.PENDING, error.errcode, error.errmsg, pause, rid=error.rid)


def _wait(error: ApiError, now: datetime, jitter: float) -> SendOutcome:
    if error.errcode in QUOTA_OF_THE_DAY:
        return paused(error, next_midnight(now), now=now, jitter=jitter)
    return SendOutcome(
        ReplyStatus.HELD,
        error.errcode,
        error.errmsg,
        window=WindowVerdict.CLOSED if error.errcode in WINDOW_CLOSED else WindowVerdict.OPEN,
    )


def _backoff(errcode: int | None, attempts: int, jitter: float) -> timedelta:
    if errcode == TOO_MANY_THIS_MINUTE:
        return SLOW_DOWN * (1 + jitter / 2)
    seconds = BACKOFF_SECONDS[min(attempts, len(BACKOFF_SECONDS)) - 1]
    return timedelta(seconds=seconds * (1 + jitter / 2))
