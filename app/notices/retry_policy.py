"""Decides what happens to a notice after a failed call. Pure. Source: protocol 11; linkage 2.4."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from app.notices.models import NoticeKind, NoticeStatus
from app.wechat.errcodes import Action
from app.wechat.errors import ApiError, TransportError
from app.wechat_client.errors import NoToken, Paused

BACKOFF_SECONDS: Final = (1.0, 4.0, 15.0, 60.0, 240.0, 900.0)
MAX_ATTEMPTS: Final = 8
SLOW_DOWN: Final = timedelta(seconds=60)
# WeChat sends a template message with one client_msg_id once within ten minutes. Protocol 9.2.
SAFE_TO_REPEAT: Final = timedelta(minutes=9)

NO_CONSENT: Final = 43101
TWO_AT_ONCE: Final = 43108
MAX_TWO_AT_ONCE: Final = 2
AFTER_TWO_AT_ONCE: Final = timedelta(seconds=5)
# A notice of an audience is tried so often, each time that an operator resumes the send.
MAX_REFUSED: Final = 3
# They concern one person. What else WeChat refuses for good, it refuses for every notice of a send.
_OF_PERSON: Final = frozenset({40003, 43004, 43019, NO_CONSENT, 48002, 49003, 50005, 70000})

UNKNOWN: Final = "outcome unknown"


class ConsentVerdict(StrEnum):
    """What an attempt says about the reserved consent. kept: it may be used up."""

    GIVEN_BACK = "given_back"
    KEPT = "kept"
    USED_UP = "used_up"


@dataclass(frozen=True, slots=True)
class NoticeOutcome:
    """The new state of a notice whose call failed.

    retry_in: from now, if the status is pending. wait_until: no notice of the send is sent before.
    counts: whether it counts as an attempt. stops_send: WeChat would refuse every notice of the
    audience.
    """

    status: NoticeStatus
    errcode: int | None
    errmsg: str
    rid: str | None = None
    retry_in: timedelta = timedelta()
    wait_until: datetime | None = None
    consent: ConsentVerdict = ConsentVerdict.GIVEN_BACK
    counts: bool = True
    stops_send: bool = False


def outcome_of(
    error: ApiError,
    kind: NoticeKind,
    *,
    of_audience: bool,
    attempts: int,
    first_at: datetime,
    now: datetime,
    jitter: float,
) -> NoticeOutcome:
    """Return what to do after a failed attempt.

    of_audience: all notices of the send say the same, so that WeChat would refuse them, too. Then
    this one waits like the others until an operator resumes the send. attempts: so far, this one
    included. first_at: of the first one. jitter: 0.0 to 1.0, lengthens the delay by up to a half.
    """
    if isinstance(error, TransportError) and error.outcome_unknown:
        return _unknown(error, kind, attempts, now - first_at, jitter)
    if isinstance(error, NoToken | Paused):
        until = error.until
        if until is None:
            until = now + SLOW_DOWN * (1 + jitter / 2)
        return _pending(error, until - now, wait_until=until, counts=False)
    if error.errcode == TWO_AT_ONCE and attempts < MAX_TWO_AT_ONCE:
        return _pending(error, AFTER_TWO_AT_ONCE * (1 + jitter))
    if error.action in {Action.RETRY, Action.REFRESH_TOKEN} and attempts < MAX_ATTEMPTS:
        return _pending(error, _backoff(attempts, jitter))
    stops = of_audience and _concerns_all(error)
    return NoticeOutcome(
        NoticeStatus.PENDING if stops and attempts < MAX_REFUSED else NoticeStatus.FAILED,
        error.errcode,
        error.errmsg,
        error.rid,
        consent=(
            ConsentVerdict.USED_UP if error.errcode == NO_CONSENT else ConsentVerdict.GIVEN_BACK
        ),
        stops_send=stops,
    )


def cut_off(kind: NoticeKind, first_at: datetime, now: datetime) -> NoticeStatus:
    """Return the state of a notice whose worker died while it was sending."""
    if kind is NoticeKind.TEMPLATE and now - first_at < SAFE_TO_REPEAT:
        return NoticeStatus.PENDING
    return NoticeStatus.UNKNOWN


def _concerns_all(error: ApiError) -> bool:
    if error.errcode is None or error.errcode == TWO_AT_ONCE:
        return False
    return error.errcode not in _OF_PERSON and error.action in {
        Action.PERMANENT,
        Action.CONFIGURATION,
    }


def _unknown(
    error: TransportError, kind: NoticeKind, attempts: int, age: timedelta, jitter: float
) -> NoticeOutcome:
    """A template message is sent again under the same client_msg_id while WeChat knows it.

    A subscription notice has no such id: it may have cost a consent, and is not repeated.
    """
    text = f"{UNKNOWN}: {error.errmsg}"
    delay = _backoff(attempts, jitter)
    if kind is NoticeKind.TEMPLATE and age + delay < SAFE_TO_REPEAT:
        return NoticeOutcome(NoticeStatus.PENDING, None, text, retry_in=delay)
    return NoticeOutcome(NoticeStatus.UNKNOWN, None, text, consent=ConsentVerdict.KEPT)


def _pending(
    error: ApiError,
    delay: timedelta,
    *,
    wait_until: datetime | None = None,
    counts: bool = True,
) -> NoticeOutcome:
    return NoticeOutcome(
        NoticeStatus.PENDING,
        error.errcode,
        error.errmsg,
        error.rid,
        retry_in=max(delay, timedelta()),
        wait_until=wait_until,
        counts=counts,
    )


def _backoff(attempts: int, jitter: float) -> timedelta:
    seconds = BACKOFF_SECONDS[min(attempts, len(BACKOFF_SECONDS)) - 1]
    return timedelta(seconds=seconds * (1 + jitter / 2))
