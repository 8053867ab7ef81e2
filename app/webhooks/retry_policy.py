"""Decides what follows from an attempt, for the delivery and for the endpoint. Pure.

Source: Standard Webhooks 1.0, Deliverability and reliability; Delivery success and failure.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus

from app.webhooks.models import DeliveryStatus

# Delays between attempts. The first attempt is made at once, so there are ten.
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
MAX_RETRY_AFTER = timedelta(hours=24)
# An unavailable endpoint is tried at least this often, with any event.
MAX_REST = timedelta(minutes=5)
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
    """The response of an endpoint. status_code: None if there was none; error says why.

    retry_after: the header as received.
    """

    status_code: int | None = None
    error: str | None = None
    retry_after: str | None = None

    @property
    def accepted(self) -> bool:
        """Whether the endpoint accepted the event; only 200 to 299 mean that it did."""
        return self.status_code is not None and self.status_code in ACCEPTED


@dataclass(frozen=True, slots=True)
class DeliveryOutcome:
    """The new state of a delivery. next_at: time of the next attempt; set while it waits.

    rests_until: no event is sent to the endpoint before then. disabled: why the webhook is
    switched off.
    """

    status: DeliveryStatus
    next_at: datetime | None = None
    rests_until: datetime | None = None
    disabled: str | None = None


def evaluate_attempt(
    response: EndpointResponse,
    *,
    attempts: int,
    failing_since: datetime | None,
    now: datetime,
    jitter: float,
) -> DeliveryOutcome:
    """Return what follows from an attempt.

    attempts: so far, including this one. failing_since: of the webhook, before this attempt.
    jitter: 0.0 to 1.0, lengthens the delay by up to a tenth.
    """
    if response.accepted:
        return DeliveryOutcome(DeliveryStatus.DELIVERED)
    if response.status_code == HTTPStatus.GONE:
        return DeliveryOutcome(DeliveryStatus.FAILED, disabled="the endpoint answered 410 Gone")
    if failing_since is not None and now - failing_since >= DISABLE_AFTER:
        since = failing_since.astimezone(UTC).isoformat(timespec="seconds")
        return DeliveryOutcome(
            DeliveryStatus.WAITING, now, disabled=f"nothing has arrived since {since}"
        )
    requested = retry_after_delay(response.retry_after, now)
    if attempts > len(RETRY_DELAYS):
        return DeliveryOutcome(
            DeliveryStatus.FAILED, rests_until=_rest(response, requested, requested, now)
        )
    pause = max(RETRY_DELAYS[attempts - 1] * (1 + jitter * MAX_JITTER), requested)
    return DeliveryOutcome(
        DeliveryStatus.WAITING, now + pause, _rest(response, pause, requested, now)
    )


def _rest(
    response: EndpointResponse, pause: timedelta, requested: timedelta, now: datetime
) -> datetime | None:
    # These responses say something about the endpoint and not about one event.
    if response.status_code is None or response.status_code in OVERLOADED or requested:
        return now + max(min(pause, MAX_REST), requested)
    return None


def retry_after_delay(retry_after: str | None, now: datetime) -> timedelta:
    """Return the delay of a Retry-After header, seconds or a date; at most a day, 0 if invalid."""
    if retry_after is None:
        return timedelta(0)
    text = retry_after.strip()
    if text.isascii() and text.isdigit():
        # Nine digits are far above the limit; more could be too many for a timedelta.
        return min(timedelta(seconds=int(text[:9])), MAX_RETRY_AFTER)
    try:
        until = parsedate_to_datetime(text)
    except (ValueError, OverflowError):  # of a year with eleven digits
        return timedelta(0)
    if until.tzinfo is None:
        until = until.replace(tzinfo=UTC)
    return min(max(until - now, timedelta(0)), MAX_RETRY_AFTER)
