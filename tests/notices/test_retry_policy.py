"""What a refused call means for the audience that its notice belongs to."""

from datetime import UTC, datetime

import pytest

from app.notices.models import NoticeKind, NoticeStatus
from app.notices.retry_policy import MAX_REFUSED, NoticeOutcome, outcome_of
from app.wechat.errcodes import action_for
from app.wechat.errors import ApiError
from tests.refusals.outcomes import SENDING, Then

NOW = datetime(2026, 11, 29, tzinfo=UTC)
CODES = [
    (then, errcode)
    for table in SENDING.values()
    for then, codes in table.items()
    for errcode in codes
    if then not in {Then.SENT, Then.ACCOUNT}  # its token and its pauses are `with_token`'s
]


def outcome(errcode: int, attempts: int, *, of_audience: bool) -> NoticeOutcome:
    error = ApiError(errcode, "refused", action_for(errcode), "rid")
    return outcome_of(
        error,
        NoticeKind.SUBSCRIPTION,
        of_audience=of_audience,
        attempts=attempts,
        first_at=NOW,
        now=NOW,
        jitter=0.0,
    )


@pytest.mark.parametrize(("then", "errcode"), CODES)
def test_refused_of_an_audience(then: Then, errcode: int) -> None:
    found = outcome(errcode, 1, of_audience=True)
    everybody = then is Then.EVERYBODY
    assert found.stops_send is everybody
    waits = everybody or then is Then.WAITS
    assert (found.status is NoticeStatus.PENDING) is waits
    assert found.wait_until is None
    assert not outcome(errcode, 1, of_audience=False).stops_send


def test_a_notice_of_an_audience_is_refused_a_bounded_number_of_times() -> None:
    found = [outcome(47003, number, of_audience=True) for number in range(1, MAX_REFUSED + 1)]
    assert [one.stops_send for one in found] == [True] * MAX_REFUSED
    assert [one.status for one in found] == [NoticeStatus.PENDING] * 2 + [NoticeStatus.FAILED]
