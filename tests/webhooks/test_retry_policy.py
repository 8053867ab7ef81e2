"""What an attempt means for its delivery and its endpoint."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.webhooks.models import DeliveryStatus
from app.webhooks.retry_policy import (
    DeliveryOutcome,
    EndpointResponse,
    evaluate_attempt,
    retry_after_delay,
)

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
MINUTES, HOURS = timedelta(minutes=1), timedelta(hours=1)


def judged(
    answer: EndpointResponse,
    *,
    attempts: int = 1,
    failing_for: timedelta | None = None,
    jitter: float = 0,
) -> DeliveryOutcome:
    since = None if failing_for is None else NOON - failing_for
    return evaluate_attempt(answer, attempts=attempts, failing_since=since, now=NOON, jitter=jitter)


def test_ten_attempts_are_made_with_the_pauses_of_the_specification() -> None:
    pauses = []
    for attempts in range(1, 10):
        outcome = judged(EndpointResponse(500), attempts=attempts)
        assert outcome.status is DeliveryStatus.WAITING
        assert outcome.next_at is not None
        pauses.append(outcome.next_at - NOON)

    assert pauses == [
        timedelta(seconds=5),
        5 * MINUTES,
        30 * MINUTES,
        2 * HOURS,
        5 * HOURS,
        10 * HOURS,
        14 * HOURS,
        20 * HOURS,
        24 * HOURS,
    ]
    assert judged(EndpointResponse(500), attempts=10) == DeliveryOutcome(DeliveryStatus.FAILED)


@given(status=st.integers(100, 599))
def test_only_200_to_299_is_a_success(status: int) -> None:
    delivered = judged(EndpointResponse(status)).status is DeliveryStatus.DELIVERED

    assert delivered == (200 <= status <= 299)


def test_gone_disables_at_once() -> None:
    outcome = judged(EndpointResponse(410))

    assert outcome.status is DeliveryStatus.FAILED
    assert outcome.disabled is not None
    assert "410" in outcome.disabled


@pytest.mark.parametrize(
    ("failing_for", "disabled"),
    [(None, False), (timedelta(days=5) - MINUTES, False), (timedelta(days=5), True)],
)
def test_five_days_without_a_success_disable(failing_for: timedelta | None, disabled: bool) -> None:
    outcome = judged(EndpointResponse(500), failing_for=failing_for)

    assert (outcome.disabled is not None) == disabled
    assert outcome.status is DeliveryStatus.WAITING


@pytest.mark.parametrize(
    "answer",
    [
        EndpointResponse(error="ConnectError"),
        EndpointResponse(429),
        EndpointResponse(502),
        EndpointResponse(503),
        EndpointResponse(504),
    ],
)
def test_an_endpoint_that_is_away_or_overloaded_gets_a_rest_of_five_minutes_at_most(
    answer: EndpointResponse,
) -> None:
    assert judged(answer, attempts=1).rests_until == NOON + timedelta(seconds=5)
    assert judged(answer, attempts=7).rests_until == NOON + 5 * MINUTES


@pytest.mark.parametrize("status", [301, 400, 404, 500])
def test_an_answer_about_one_event_holds_up_no_other(status: int) -> None:
    assert judged(EndpointResponse(status)).rests_until is None


def test_retry_after_makes_a_pause_longer_and_never_shorter() -> None:
    longer = judged(EndpointResponse(429, retry_after="3600"), attempts=1)
    shorter = judged(EndpointResponse(429, retry_after="1"), attempts=2)

    assert longer.next_at == longer.rests_until == NOON + HOURS
    assert shorter.next_at == shorter.rests_until == NOON + 5 * MINUTES


@pytest.mark.parametrize(
    ("header", "wait"),
    [
        (None, timedelta(0)),
        ("120", 2 * MINUTES),
        (" 120 ", 2 * MINUTES),
        ("0", timedelta(0)),
        ("-5", timedelta(0)),
        ("soon", timedelta(0)),
        ("", timedelta(0)),
        ("9" * 5000, 24 * HOURS),
        ("Tue, 24 Nov 2026 12:10:00 GMT", 10 * MINUTES),
        ("Tue, 24 Nov 2026 11:10:00 GMT", timedelta(0)),
        ("Tue, 24 Nov 2026 12:10:00 -0000", 10 * MINUTES),
        ("Fri, 24 Nov 2056 12:10:00 GMT", 24 * HOURS),
        ("Mon, 01 Jan 99999999999 00:00:00 GMT", timedelta(0)),
        ("Fri, 31 Dec 9999 23:59:59 -2359", 24 * HOURS),
        ("Mon, 01 Jan 0001 00:00:00 +2359", timedelta(0)),
        ("Mon, 01 Jan 2026 00:00:00 +99999999999999999999", timedelta(0)),
    ],
)
def test_retry_after_is_seconds_or_a_date_and_at_most_a_day(
    header: str | None, wait: timedelta
) -> None:
    assert retry_after_delay(header, NOON) == wait


@given(header=st.text(max_size=60))
def test_no_retry_after_header_breaks_anything(header: str) -> None:
    assert timedelta(0) <= retry_after_delay(header, NOON) <= 24 * HOURS


@given(attempts=st.integers(1, 9), jitter=st.floats(0, 1))
def test_jitter_lengthens_a_pause_by_up_to_a_tenth(attempts: int, jitter: float) -> None:
    plain = judged(EndpointResponse(500), attempts=attempts).next_at
    spread = judged(EndpointResponse(500), attempts=attempts, jitter=jitter).next_at

    assert plain is not None
    assert spread is not None
    assert plain - NOON <= spread - NOON <= (plain - NOON) * 1.1 + timedelta(milliseconds=1)
