"""How far this machine's clock is from the `Date` of WeChat's responses."""

from datetime import UTC, datetime, timedelta

import pytest

from app.wechat.transport import clock_difference

NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("date", "ahead"),
    [
        ("Sat, 28 Nov 2026 12:00:00 GMT", 0),
        ("Sat, 28 Nov 2026 12:00:02 GMT", 0),  # it was written while the call lasted
        ("Sat, 28 Nov 2026 11:59:59 GMT", 0),  # within its second
        ("Sat, 28 Nov 2026 11:00:00 GMT", 3599),
        ("Sat, 28 Nov 2026 13:00:00 GMT", -3597),
        ("Sat, 28 Nov 2026 12:00:00 -0000", None),
        ("Mon, 01 Jan 99999999999 00:00:00 GMT", None),
        ("soon", None),
        ("", None),
        (None, None),
    ],
)
def test_a_call_of_three_seconds(date: str | None, ahead: float | None) -> None:
    assert clock_difference(date, NOON, NOON + timedelta(seconds=3)) == ahead
