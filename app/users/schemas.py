"""Responses of `/api/users`."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from app.api_model import ApiModel
from app.events.schemas import ConsentOut, FollowerOut, FollowEventOut, SubscriptionEventOut
from app.identity.schemas import OpenIdOut


class FollowEntry(FollowEventOut):
    """A follow event in a timeline."""

    type: Literal["follow_event"] = "follow_event"
    """The kind of entry."""


class SubscriptionEntry(SubscriptionEventOut):
    """A subscription event in a timeline."""

    type: Literal["subscription_event"] = "subscription_event"
    """The kind of entry."""


Entry = Annotated[FollowEntry | SubscriptionEntry, Field(discriminator="type")]


class TimelineOut(ApiModel):
    """Events, the latest first."""

    items: list[Entry]
    """The events."""
    next: str | None
    """Pass it as `before` for the next page; null on the last page."""


class FollowerTagOut(ApiModel):
    """A tag that the person has at one account."""

    appid: str
    """The account."""
    openid: str
    """The person at this account."""
    tag_id: int
    """WeChat's id of the tag."""
    name: str
    """Its name."""
    known_at: datetime
    """When WeChat took it from here, or named it last."""


class InteractionOut(ApiModel):
    """One push of the person."""

    model_config = ConfigDict(from_attributes=True)

    appid: str
    """The account."""
    openid: str
    """The person at this account."""
    msgtype: str
    """The type of the message; `event` for an event."""
    event: str | None
    """The name of the event; null for a message."""
    occurred_at: datetime
    """When it happened."""


class UserOut(ApiModel):
    """One person at all accounts where the person was seen.

    After a change of UnionID the person is also found by the old one, and each OpenID shows the
        present one.
    """

    unionid: str | None
    """As requested; null until it is known."""
    openids: list[OpenIdOut]
    """The person at each account."""
    followers: list[FollowerOut]
    """Whether the person follows each account."""
    consents: list[ConsentOut]
    """Consents to subscription notifications."""
    tags: list[FollowerTagOut]
    """The person's tags, as far as they are known."""
    last_interactions: list[InteractionOut]
    """The latest push at each account."""
    timeline: TimelineOut
    """Follow and subscription events."""
