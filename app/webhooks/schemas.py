"""Bodies of requests and responses of `/api/webhooks`."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from fastapi import Path
from pydantic import AwareDatetime, ConfigDict, Field, StrictBool, field_validator

from app.api_model import ApiModel
from app.db.stored_enum import member_of
from app.webhooks.event_types import EventType, Pattern
from app.webhooks.models import DeliveryStatus, Webhook

MAX_POSITION = 2**63 - 1

WebhookId = Annotated[UUID, Path(description="Id of the webhook")]
Url = Annotated[str, Field(min_length=8, max_length=2048, pattern=r"^https?://[!-~]+$")]


class WebhookIn(ApiModel):
    """An endpoint of another system."""

    model_config = ConfigDict(extra="forbid")

    url: Url
    """Where events are sent: an https address that the Internet can reach."""
    description: Annotated[str, Field(max_length=200, pattern=r"^[^\x00]*$")] = ""
    """For your own use."""
    types: list[Pattern] = Field(default=[Pattern.ALL], min_length=1, max_length=len(Pattern))
    """Event types to send; `*` includes types that later versions add."""
    enabled: StrictBool = True
    """Whether events are sent."""


class WebhookOut(ApiModel):
    """An endpoint and its state."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    """The id of the webhook."""
    url: str
    """Where events are sent."""
    description: str
    """For your own use."""
    types: list[Pattern]
    """Event types that are sent."""
    enabled: bool
    """Whether events are sent."""
    disabled_reason: str | None
    """Why the service switched it off."""
    cursor: int
    """The cursor of the last event for which a delivery was made."""
    failing_since: datetime | None
    """The first failure after the last success."""
    rests_until: datetime | None
    """It is not called before then, because it is overloaded or unavailable."""
    secret_previous_until: datetime | None
    """Until then the previous secret signs, too."""
    created_at: datetime
    """When it was added."""
    updated_at: datetime
    """When it was last changed."""

    @field_validator("types", mode="before")
    @classmethod
    def _as_stored(cls, types: Sequence[str]) -> list[Pattern]:
        return [member_of(Pattern, one) for one in types]


class WebhookReplacement(WebhookIn):
    """A webhook that replaces a stored one.

    What only the service sets may stand in it, so that a webhook can be sent back as `GET` returned
    it. A changed `id` or `created_at` is refused. The other members are ignored, because the
    service goes on to change them after they are read.
    """

    id: UUID | None = None
    """As it was read, or left out."""
    created_at: AwareDatetime | None = None
    """As it was read, or left out."""
    updated_at: AwareDatetime | None = None
    """Ignored."""
    disabled_reason: str | None = None
    """Ignored."""
    cursor: int | None = None
    """Ignored; a replay sends earlier events again."""
    failing_since: AwareDatetime | None = None
    """Ignored."""
    rests_until: AwareDatetime | None = None
    """Ignored."""
    secret_previous_until: AwareDatetime | None = None
    """Ignored."""


class NewWebhook(WebhookOut):
    """A webhook with its secret. No other response shows the secret."""

    secret: str
    """The secret that signs, such as `whsec_…`."""

    @classmethod
    def of(cls, webhook: Webhook, secret: str) -> Self:
        """Return a webhook with its secret in plain text, as the receiver needs it."""
        return cls(**WebhookOut.model_validate(webhook).model_dump(), secret=secret)


class WebhookList(ApiModel):
    """Every webhook, the oldest first."""

    items: list[WebhookOut]
    """The webhooks."""


class Replay(ApiModel):
    """Where to send events again from."""

    model_config = ConfigDict(extra="forbid")

    start: Annotated[int, Field(alias="from", ge=1, le=MAX_POSITION, strict=True)]
    """The `cursor` of the first event to send again, as its delivery had it; 1 for all events."""


class DeliveryOut(ApiModel):
    """One event for one webhook."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    """The id of the delivery."""
    event_id: UUID
    """The id of the event, which a replay keeps."""
    type: EventType
    """The type of the event."""
    position: int
    """The cursor of the event; 0 for a ping."""
    status: DeliveryStatus
    """What became of it so far."""
    attempts: int
    """How often it was tried."""
    next_at: datetime | None
    """The time of the next attempt."""
    status_code: int | None
    """What the endpoint answered at the last attempt."""
    error: str | None
    """Why the last attempt failed."""
    created_at: datetime
    """When it was queued."""
    finished_at: datetime | None
    """When it ended."""


class DeliveryPage(ApiModel):
    """Deliveries, the newest first."""

    items: list[DeliveryOut]
    """The deliveries."""
    next: UUID | None
    """Pass it as `before` for the next page; null on the last page."""
