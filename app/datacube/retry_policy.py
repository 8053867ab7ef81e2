"""When WeChat is asked again about a day. Pure. Source: protocol 11; linkage 10.1."""

from datetime import date, datetime, timedelta
from typing import Final

from app.datacube.days import BACKFILL_DAYS, end_of, ready_at
from app.wechat.datacube import BAD_DATES, NOT_READY
from app.wechat.errcodes import Action
from app.wechat.errors import ApiError
from app.wechat_client.pauses import QUOTA_OF_THE_DAY, next_midnight

PAUSE_UNTIL_READY: Final = timedelta(hours=1)
# A day that is not ready for so long is asked about once a day.
USUALLY_READY_AFTER: Final = timedelta(days=3)
# An answer without rows may mean that the day is not ready: it is asked about once more.
CONFIRM_AFTER: Final = timedelta(days=2)
FIRST_PAUSE: Final = timedelta(minutes=1)
LONGEST_PAUSE: Final = timedelta(hours=6)
MAX_DOUBLINGS: Final = 10
PAUSE_AFTER_REFUSAL: Final = timedelta(days=1)
PAUSE_OF_CONFIGURATION: Final = timedelta(hours=1)


def after_failure(error: ApiError, attempts: int, day: date, now: datetime) -> datetime | None:
    """Return when to ask again about a day; None: no more.

    attempts: failed calls so far, this one included.
    """
    if error.errcode in BAD_DATES:
        return None
    at = now + _pause(error, attempts, day, now)
    if error.errcode in QUOTA_OF_THE_DAY:
        at = next_midnight(now)
    return at if at < end_of(day) + timedelta(days=BACKFILL_DAYS) else None


def after_success(day: date, now: datetime, *, empty: bool) -> datetime | None:
    """Return when to ask once more about a day; None: its figures stand."""
    confirmed_at = ready_at(day) + CONFIRM_AFTER
    return confirmed_at if empty and now < confirmed_at else None


def concerns_days(error: ApiError) -> bool:
    """Return whether WeChat refuses the days of a call, so that some of them may be answered."""
    return error.errcode in NOT_READY | BAD_DATES


def _pause(error: ApiError, attempts: int, day: date, now: datetime) -> timedelta:
    if error.errcode in NOT_READY:
        late = now - end_of(day) > USUALLY_READY_AFTER
        return PAUSE_AFTER_REFUSAL if late else PAUSE_UNTIL_READY
    match error.action:
        case Action.CONFIGURATION | Action.WAIT:
            return PAUSE_OF_CONFIGURATION
        case Action.PERMANENT:
            return PAUSE_AFTER_REFUSAL
    return min(FIRST_PAUSE * (1 << min(attempts - 1, MAX_DOUBLINGS)), LONGEST_PAUSE)
