"""When the next URL Link is asked for."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.links.renewal_policy import is_refused, next_attempt, next_day, renewal_after
from app.wechat.errcodes import Action
from app.wechat.errors import ApiError, TransportError

NOW = datetime(2026, 11, 28, 8, 0, tzinfo=UTC)
MIDNIGHT = datetime(2026, 11, 28, 16, 0, tzinfo=UTC)  # in Shanghai


def failed(action: Action, errcode: int | None = 40097) -> ApiError:
    return ApiError(errcode, "as WeChat says it", action)


@given(st.integers(0, 10**9).map(lambda seconds: NOW + timedelta(seconds=seconds)))
def test_a_link_is_renewed_seven_to_eight_days_before_it_ends(now: datetime) -> None:
    life = timedelta(days=29)

    assert timedelta(days=7) <= now + life - renewal_after(now) <= timedelta(days=8)


def test_links_that_were_made_together_are_not_renewed_together() -> None:
    moments = [renewal_after(NOW) for _ in range(200)]

    assert max(moments) - min(moments) > timedelta(hours=12)


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (NOW, MIDNIGHT),
        (MIDNIGHT - timedelta(seconds=1), MIDNIGHT),
        (MIDNIGHT, MIDNIGHT + timedelta(days=1)),
    ],
)
def test_the_quota_begins_again_at_midnight_in_shanghai(now: datetime, expected: datetime) -> None:
    assert next_day(now) == expected


@pytest.mark.parametrize("errcode", [44993, 45009])
@pytest.mark.parametrize("action", Action)
def test_a_used_up_quota_waits_for_the_next_day(errcode: int, action: Action) -> None:
    assert next_attempt(failed(action, errcode), 1, NOW) == MIDNIGHT


@pytest.mark.parametrize("action", [Action.PERMANENT, Action.CONFIGURATION, Action.WAIT])
@pytest.mark.parametrize("attempts", [1, 20])
def test_a_refusal_waits_for_an_hour(action: Action, attempts: int) -> None:
    assert next_attempt(failed(action), attempts, NOW) == NOW + timedelta(hours=1)


@pytest.mark.parametrize(
    ("attempts", "seconds"),
    [(1, 5), (2, 10), (3, 20), (4, 40), (7, 320), (8, 600), (12, 600), (10_000, 600)],
)
@pytest.mark.parametrize(
    "error",
    [
        failed(Action.RETRY, -1),
        failed(Action.REFRESH_TOKEN, 40001),
        TransportError("timed out", outcome_unknown=True),
    ],
)
def test_another_failure_is_repeated_with_growing_pauses(
    error: ApiError, attempts: int, seconds: int
) -> None:
    assert next_attempt(error, attempts, NOW) == NOW + timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (failed(Action.PERMANENT), True),
        (failed(Action.CONFIGURATION), True),
        (failed(Action.CONFIGURATION, None), False),
        (failed(Action.PERMANENT, None), False),
        (failed(Action.WAIT), False),
        (failed(Action.RETRY), False),
        (failed(Action.REFRESH_TOKEN), False),
    ],
)
def test_a_target_is_refused_only_by_an_errcode_that_waiting_does_not_change(
    error: ApiError, expected: bool
) -> None:
    assert is_refused(error) is expected
