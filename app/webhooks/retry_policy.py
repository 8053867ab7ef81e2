"""What an attempt means for its delivery and its endpoint. Pure.

Source: Standard Webhooks 1.0, Deliverability and reliability; Delivery success and failure.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus

from app.webhooks.models import DeliveryStatus

# Between one attempt and the next; the first is made at once, so there are ten.
RETRY_DELAYS = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
MAX_JITTER = 0.1
LONGEST_WAIT_ASKED_FOR = timedelta(hours=24)
# An endpoint that is away is asked this often at least, with one event or another.
LONGEST_REST = timedelta(minutes=5)
DISABLE_AFTER = timedelta(days=5)

ACCEPTED = range(200, 300)
OVERLOADED = frozenset(
    {
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.BAD_GATEWAY,
        HTTPStatus.SERVICE_UNAVAILABLE,
        HTTPStatus.GATEWAY_TIMEOUT,
    }
)


@dataclass(frozen=True, slots=True)
class EndpointResponse:
    """How an endpoint answered. status_code: None when it did not, and error says why.

    retry_after: the header as it came.
    """

    status_code: int | None = None
    error: str | None = None
    retry_after: str | None = None

    @property
    def accepted(self) -> bool:
        """Whether the event has arrived: 200 to 299, and nothing else."""
        return self.status_code is not None and self.status_code in ACCEPTED


@dataclass(frozen=True, slots=True)
class DeliveryOutcome:
    """What becomes of a delivery. next_at: set while it waits.

    rests_until: before that nothing else is sent to the endpoint either. disabled: why nothing
    is sent to it any more.
    """

    status: DeliveryStatus
    next_at: datetime | None = None
    rests_until: datetime | None = None
    disabled: str | None = None


def evaluate_attempt(
    answer: EndpointResponse,
    *,
    attempts: int,
    failing_since: datetime | None,
    now: datetime,
    jitter: float,
) -> DeliveryOutcome:
    """Return what follows from an attempt.

    attempts: so far, this one included. failing_since: of the endpoint, before this attempt.
    jitter: 0.0 to 1.0, lengthens a pause by up to a tenth.
    """
    if answer.accepted:
        return DeliveryOutcome(DeliveryStatus.DELIVERED)
    if answer.status_code == HTTPStatus.GONE:
        return DeliveryOutcome(DeliveryStatus.FAILED, disabled="the endpoint answered 410 Gone")
    if failing_since is not None and now - failing_since >= DISABLE_AFTER:
        since = failing_since.astimezone(UTC).isoformat(timespec="seconds")
        return DeliveryOutcome(
            DeliveryStatus.WAITING, now, disabled=f"nothing has arrived since {since}"
        )
    asked = wait_asked_for(answer.retry_after, now)
    if attempts > len(RETRY_DELAYS):
        return DeliveryOutcome(DeliveryStatus.FAILED, rests_until=_rest(answer, asked, asked, now))
    pause = max(RETRY_DELAYS[attempts - 1] * (1 + jitter * MAX_JITTER), asked)
    return DeliveryOutcome(DeliveryStatus.WAITING, now + pause, _rest(answer, pause, asked, now))


def _rest(
    answer: EndpointResponse, pause: timedelta, asked: timedelta, now: datetime
) -> datetime | None:
    """An answer about the endpoint, not about one event, holds for every event."""
    if answer.status_code is None or answer.status_code in OVERLOADED or asked:
        return now + max(min(pause, LONGEST_REST), asked)
    return None


def wait_asked_for(retry_after: str | None, now: datetime) -> timedelta:
    """Return what a Retry-After header asks for, seconds or a date; at most a day, 0 if unclear."""
    if retry_after is None:
        return timedelta(0)
    text = retry_after.strip()
    if text.isascii() and text.isdigit():
        # Of a thousand digits the first few tell enough.
        return min(timedelta(seconds=int(text[:9])), LONGEST_WAIT_ASKED_FOR)
    try:
        until = parsedate_to_datetime(text)
    except ValueError:
        return timedelta(0)
    if until.tzinfo is None:
        until = until.replace(tzinfo=UTC)
    return min(max(until - now, timedelta(0)), LONGEST_WAIT_ASKED_FOR)
