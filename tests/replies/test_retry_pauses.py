"""What becomes of a reply after each kind of failure, to the second."""

from datetime import UTC, datetime, timedelta

import pytest

from app.replies.models import ReplyStatus
from app.replies.retry_policy import (
    SendOutcome,
    WindowVerdict,
    not_fetched,
    outcome_of,
    paused,
    unknown_outcome,
)
from app.wechat.errcodes import Action
from app.wechat.errors import ApiError, TransportError
from app.wechat_client.errors import MediaNotFetched, NoToken, Paused

NOW = datetime(2026, 11, 28, 8, 0, tzinfo=UTC)
MIDNIGHT = timedelta(hours=8)  # until then in Shanghai
PENDING, FAILED, SKIPPED, HELD = (
    ReplyStatus.PENDING,
    ReplyStatus.FAILED,
    ReplyStatus.SKIPPED,
    ReplyStatus.HELD,
)
OPEN, CLOSED, USED = WindowVerdict.OPEN, WindowVerdict.CLOSED, WindowVerdict.USED


def failed(action: Action, errcode: int | None = 40097) -> ApiError:
    return ApiError(errcode, "as WeChat says it", action, "rid-1")


def outcome(error: ApiError, *, attempts: int = 1, jitter: float = 0.5) -> SendOutcome:
    return outcome_of(error, attempts=attempts, jitter=jitter, now=NOW)


def expected(
    error: ApiError,
    status: ReplyStatus,
    retry_in: timedelta | None = None,
    window: WindowVerdict = OPEN,
) -> SendOutcome:
    return SendOutcome(status, error.errcode, "as WeChat says it", retry_in, window, "rid-1")


@pytest.mark.parametrize(
    ("attempts", "seconds"),
    [(1, 1), (2, 4), (3, 15), (4, 60), (5, 240), (6, 900), (7, 900), (1000, 900)],
)
@pytest.mark.parametrize("action", [Action.RETRY, Action.REFRESH_TOKEN])
def test_a_failure_that_may_pass_is_repeated_later_and_later(
    action: Action, attempts: int, seconds: int
) -> None:
    error = failed(action)

    for jitter, factor in ((0.0, 1), (0.5, 1.25), (1.0, 1.5)):
        found = outcome(error, attempts=attempts, jitter=jitter)
        assert found == expected(error, PENDING, timedelta(seconds=seconds * factor))


@pytest.mark.parametrize("attempts", [1, 6])
def test_too_many_calls_in_a_minute_wait_for_a_minute(attempts: int) -> None:
    error = failed(Action.RETRY, 45011)

    found = outcome(error, attempts=attempts)

    assert found == expected(error, PENDING, timedelta(seconds=75))


@pytest.mark.parametrize("action", [Action.CONFIGURATION, Action.PERMANENT, Action.WAIT])
def test_without_a_token_a_reply_waits_for_a_minute(action: Action) -> None:
    error = NoToken(failed(action, 40125))

    assert outcome(error) == expected(error, PENDING, timedelta(seconds=75))


def test_without_a_token_that_may_come_soon_a_reply_waits_as_after_any_failure() -> None:
    error = NoToken(failed(Action.RETRY, -1))

    assert outcome(error, attempts=2) == expected(error, PENDING, timedelta(seconds=5))


@pytest.mark.parametrize("action", Action)
def test_a_reply_waits_as_long_as_the_calls_of_its_account(action: Action) -> None:
    until = NOW + timedelta(minutes=3)
    cause = Paused(failed(action, 48001), until)
    waiting = timedelta(minutes=3, seconds=0.5)

    for error in (cause, NoToken(cause)):
        assert outcome(error) == expected(error, PENDING, waiting)


def test_after_a_pause_that_is_over_a_second_is_left_for_the_first_call() -> None:
    error = failed(Action.CONFIGURATION, 48001)
    for until in (NOW - timedelta(hours=1), NOW, NOW + timedelta(seconds=1)):
        found = paused(error, until, now=NOW, jitter=0.5)
        assert found == expected(error, PENDING, timedelta(seconds=1.5))


@pytest.mark.parametrize("errcode", [44993, 45009, 85406])
def test_replies_of_a_used_up_day_begin_within_ten_minutes_after_midnight(errcode: int) -> None:
    error = failed(Action.WAIT, errcode)

    for jitter, minutes in ((0.0, 0), (0.5, 5), (1.0, 10)):
        found = outcome(error, jitter=jitter)
        assert found == expected(error, PENDING, MIDNIGHT + timedelta(minutes=minutes))


@pytest.mark.parametrize(("errcode", "window"), [(45015, CLOSED), (45047, CLOSED), (45072, OPEN)])
def test_what_only_the_follower_can_change_is_held(errcode: int, window: WindowVerdict) -> None:
    error = failed(Action.WAIT, errcode)

    assert outcome(error) == expected(error, HELD, window=window)


@pytest.mark.parametrize("errcode", [43004, 50005])
@pytest.mark.parametrize("action", [Action.PERMANENT, Action.RETRY])
def test_somebody_who_does_not_follow_is_skipped(errcode: int, action: Action) -> None:
    error = failed(action, errcode)

    assert outcome(error) == expected(error, SKIPPED)


@pytest.mark.parametrize("action", [Action.PERMANENT, Action.CONFIGURATION])
def test_what_wechat_refuses_for_good_fails(action: Action) -> None:
    error = failed(action)

    assert outcome(error) == expected(error, FAILED)


def test_a_reply_that_may_have_arrived_fails_and_costs_its_send() -> None:
    found = unknown_outcome(TransportError("ReadError", outcome_unknown=True))

    assert found == SendOutcome(FAILED, None, "outcome unknown: ReadError", window=USED)


@pytest.mark.parametrize(("attempts", "seconds"), [(1, 1.25), (2, 5), (5, 300)])
def test_a_picture_that_does_not_come_is_fetched_again(attempts: int, seconds: float) -> None:
    error = MediaNotFetched("the host does not answer")

    found = not_fetched(error, attempts=attempts, jitter=0.5)

    assert found == SendOutcome(
        PENDING, None, "the host does not answer", timedelta(seconds=seconds)
    )


@pytest.mark.parametrize("attempts", [6, 7])
def test_a_picture_is_fetched_six_times(attempts: int) -> None:
    error = MediaNotFetched("the host does not answer")

    found = not_fetched(error, attempts=attempts, jitter=0.5)

    assert found == SendOutcome(FAILED, None, "the host does not answer")
