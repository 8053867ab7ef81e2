"""What a failed send means, as WeChat's own table has it."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from app.replies.models import ReplyStatus
from app.replies.retry_policy import (
    AFTER_MIDNIGHT,
    WindowVerdict,
    outcome_of,
    unknown_outcome,
)
from app.wechat.errcodes import Action, action_for
from app.wechat.errors import ApiError, TransportError
from app.wechat_client.errors import NoToken

FINAL = {ReplyStatus.FAILED, ReplyStatus.SKIPPED}
errcodes = st.one_of(
    st.sampled_from([-1, 40001, 40007, 40166, 43004, 44993, 45009, 45011, 45015, 45047, 48002]),
    st.integers(-10, 300_000).filter(bool),
)
moments = st.integers(1_700_000_000, 1_900_000_000).map(lambda at: datetime.fromtimestamp(at, UTC))
attempts = st.integers(1, 200)
jitters = st.floats(0, 1)


def refused(errcode: int) -> ApiError:
    return ApiError(errcode, "as WeChat says it", action_for(errcode))


@given(errcode=errcodes, tried=attempts, jitter=jitters, now=moments)
def test_a_reply_waits_only_while_something_wakes_it(
    errcode: int, tried: int, jitter: float, now: datetime
) -> None:
    outcome = outcome_of(refused(errcode), attempts=tried, jitter=jitter, now=now)

    assert (outcome.retry_in is not None) == (outcome.status is ReplyStatus.PENDING)
    assert outcome.status in FINAL | {ReplyStatus.PENDING, ReplyStatus.HELD}
    assert (outcome.errcode, outcome.errmsg) == (errcode, "as WeChat says it")


@given(errcode=errcodes, tried=attempts, jitter=jitters, now=moments)
def test_a_pause_is_never_shorter_than_a_second_nor_longer_than_until_the_next_quota(
    errcode: int, tried: int, jitter: float, now: datetime
) -> None:
    pause = outcome_of(refused(errcode), attempts=tried, jitter=jitter, now=now).retry_in

    assert pause is None or timedelta() < pause <= timedelta(days=1) + AFTER_MIDNIGHT


@given(errcode=st.sampled_from([-1, 45011, 61450, 40001]), jitter=jitters, now=moments)
def test_pauses_never_shrink_from_one_attempt_to_the_next(
    errcode: int, jitter: float, now: datetime
) -> None:
    pauses = [
        outcome_of(refused(errcode), attempts=tried, jitter=jitter, now=now).retry_in
        for tried in range(1, 30)
    ]

    assert all(pause is not None for pause in pauses)
    assert pauses == sorted(pause for pause in pauses if pause is not None)


@given(errcode=errcodes, tried=attempts, jitter=jitters, now=moments)
def test_only_the_two_window_codes_close_a_window(
    errcode: int, tried: int, jitter: float, now: datetime
) -> None:
    outcome = outcome_of(refused(errcode), attempts=tried, jitter=jitter, now=now)

    assert (outcome.window is WindowVerdict.CLOSED) == (errcode in {45015, 45047})


@given(
    errcode=st.sampled_from([40001, 40013, 40125, 40164, 45009, 50007, 99999]),
    tried=attempts,
    jitter=jitters,
    now=moments,
)
def test_without_a_token_nothing_ever_ends(
    errcode: int, tried: int, jitter: float, now: datetime
) -> None:
    outcome = outcome_of(NoToken(refused(errcode)), attempts=tried, jitter=jitter, now=now)

    assert outcome.status is ReplyStatus.PENDING


@given(tried=attempts, jitter=jitters, now=moments)
def test_a_call_that_never_reached_wechat_is_repeated(
    tried: int, jitter: float, now: datetime
) -> None:
    error = TransportError("ConnectError", outcome_unknown=False)

    outcome = outcome_of(error, attempts=tried, jitter=jitter, now=now)

    assert outcome.status is ReplyStatus.PENDING


def test_a_call_that_may_have_arrived_is_not() -> None:
    outcome = unknown_outcome(TransportError("ReadError", outcome_unknown=True))

    assert (outcome.status, outcome.retry_in) == (ReplyStatus.FAILED, None)
    assert "outcome unknown" in outcome.errmsg


@given(now=moments, jitter=jitters)
def test_a_daily_quota_is_waited_out_until_midnight_in_shanghai(
    now: datetime, jitter: float
) -> None:
    """And not by everybody to the same second: the new quota is for ten minutes of waking up."""
    pause = outcome_of(refused(45009), attempts=1, jitter=jitter, now=now).retry_in

    assert pause is not None
    there = now + pause - timedelta(minutes=10) * jitter + timedelta(hours=8)
    assert (there.hour, there.minute, there.second, there.microsecond) == (0, 0, 0, 0)


@given(code=st.integers(1, 300_000), tried=attempts, jitter=jitters, now=moments)
def test_what_the_table_calls_permanent_is_final(
    code: int, tried: int, jitter: float, now: datetime
) -> None:
    outcome = outcome_of(refused(code), attempts=tried, jitter=jitter, now=now)

    if action_for(code) in {Action.PERMANENT, Action.CONFIGURATION}:
        assert outcome.status in FINAL
