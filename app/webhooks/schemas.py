"""Bodies of requests and responses of `/api/webhooks`."""

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StrictBool

from app.webhooks.event_types import EventType, Pattern
from app.webhooks.models import DeliveryStatus, Webhook

MAX_POSITION = 2**63 - 1

Url = Annotated[str, Field(min_length=8, max_length=2048, pattern=r"^https?://[!-~]+$")]


class WebhookIn(BaseModel):
    """An endpoint. types: event types to send; `*` includes types that later versions add."""

    model_config = ConfigDict(extra="forbid")

    url: Url
    description: Annotated[str, Field(max_length=200, pattern=r"^[^\x00]*$")] = ""
    types: Annotated[list[Pattern], Field(min_length=1, max_length=len(Pattern))] = [Pattern.ALL]
    enabled: StrictBool = True


class WebhookOut(BaseModel):
    """An endpoint and its state.

    cursor: of the last event for which a delivery was made. disabled_reason: why the service
    switched it off. failing_since: the first failure after the last success. rests_until: it is
    not called before then, because it is overloaded or unavailable. secret_previous_until: the
    previous secret signs, too, until then.
    """

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    url: str
    description: str
    types: list[Pattern]
    enabled: bool
    disabled_reason: str | None
    cursor: int
    failing_since: datetime | None
    rests_until: datetime | None
    secret_previous_until: datetime | None
    created_at: datetime
    updated_at: datetime


class WebhookReplacement(WebhookIn):
    """A webhook that replaces a stored one.

    What only the service sets may stand in it, so that a webhook can be sent back as `GET` returned
    it. A changed `id` or `created_at` is refused. The other members are ignored, because the
    service goes on to change them after they are read.
    """

    id: UUID | None = None
    created_at: AwareDatetime | None = None
    updated_at: AwareDatetime | None = None
    disabled_reason: str | None = None
    cursor: int | None = None
    failing_since: AwareDatetime | None = None
    rests_until: AwareDatetime | None = None
    secret_previous_until: AwareDatetime | None = None


class NewWebhook(WebhookOut):
    """A webhook with its secret. No other response shows the secret."""

    secret: str

    @classmethod
    def of(cls, webhook: Webhook, secret: str) -> Self:
        """Return a webhook with its secret in plain text, as the receiver needs it."""
        return cls(**WebhookOut.model_validate(webhook).model_dump(), secret=secret)


class WebhookList(BaseModel):
    """Every webhook, the oldest first."""

    items: list[WebhookOut]


class Replay(BaseModel):
    """from: `cursor` of the first event to send again, as its delivery had it; 1: all events."""

    model_config = ConfigDict(extra="forbid")

    start: Annotated[int, Field(alias="from", ge=1, le=MAX_POSITION, strict=True)]


class DeliveryOut(BaseModel):
    """One event for one webhook.

    position: the cursor of the event; 0 for a ping. next_at: time of the next attempt.
    status_code, error: of the last attempt.
    """

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    event_id: UUID
    type: EventType
    position: int
    status: DeliveryStatus
    attempts: int
    next_at: datetime | None
    status_code: int | None
    error: str | None
    created_at: datetime
    finished_at: datetime | None


class DeliveryPage(BaseModel):
    """Deliveries, the newest first. next: pass it as `before`; null on the last page."""

    items: list[DeliveryOut]
    next: UUID | None
