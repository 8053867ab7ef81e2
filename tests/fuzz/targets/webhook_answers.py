"""What the receiver of a webhook answers, above all `Retry-After`, and the `Date` of WeChat's API.

An input: the status in the first two bytes, the number of attempts and the lateness in two more,
then the header.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Final

from app.webhooks.retry_policy import MAX_RETRY_AFTER, EndpointResponse, evaluate_attempt
from app.wechat.transport import clock_difference
from tests.fuzz.target import Target, Values

NOW: Final = datetime(2026, 11, 28, 12, tzinfo=UTC)
_HEAD: Final = 4


def try_case(data: bytes) -> Values:
    """Decide what follows from an answer."""
    head, header = data[:_HEAD].ljust(_HEAD, b"\0"), data[_HEAD:].decode("latin-1")
    status = int.from_bytes(head[:2], "big")
    outcome = evaluate_attempt(
        EndpointResponse(status or None, retry_after=header),
        attempts=1 + head[2] % 12,
        failing_since=NOW - timedelta(hours=head[3]) if head[3] else None,
        now=NOW,
        jitter=head[2] / 255,
    )
    limit = NOW + MAX_RETRY_AFTER * 1.1
    assert outcome.next_at is None or NOW <= outcome.next_at <= limit
    assert outcome.rests_until is None or NOW <= outcome.rests_until <= limit
    clock_difference(header, NOW, NOW + timedelta(seconds=1))
    return status, outcome.status.value, outcome.next_at, outcome.rests_until, outcome.disabled


def seeds() -> Iterable[bytes]:
    """Give answers as servers write them."""
    headers = ["", "0", "120", "99999999999", "-1", "1e9", "Wed, 25 Nov 2026 12:00:00 GMT"]
    headers += ["Sat, 28 Nov 2026 13:00:00 +0000", "Sunday, 29-Nov-26 08:49:37 GMT"]
    headers += ["Sun Nov 29 08:49:37 2026", "Fri, 31 Dec 9999 23:59:59 GMT", "1 Jan 1 0:0:0 +2359"]
    for status in (200, 204, 301, 404, 410, 429, 500, 503):
        for number, header in enumerate(headers):
            yield status.to_bytes(2, "big") + bytes([number * 20, 125]) + header.encode("latin-1")


TARGET: Final = Target(
    try_case,
    seeds,
    ("GMT", "UTC", "EST", "+0000", "-2359", "Nov", "Dec", "Sun", "9999", "00:00:00", ", ", "29"),
    max_bytes=200,
)
