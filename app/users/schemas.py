"""Responses of `/api/users`."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from app.events.schemas import ConsentOut, FollowerOut, FollowEventOut, SubscriptionEventOut
from app.identity.schemas import OpenIdOut


class FollowEntry(FollowEventOut):
    """A follow event in a timeline."""

    type: Literal["follow_event"] = "follow_event"


class SubscriptionEntry(SubscriptionEventOut):
    """A subscription event in a timeline."""

    type: Literal["subscription_event"] = "subscription_event"


Entry = Annotated[FollowEntry | SubscriptionEntry, Field(discriminator="type")]


class TimelineOut(BaseModel):
    """Events, the latest first. next: pass it as `before`; null on the last page."""

    items: list[Entry]
    next: str | None


class InteractionOut(BaseModel):
    """One push of the person: msgtype of a message, or name of an event."""

    model_config = ConfigDict(from_attributes=True)

    appid: str
    openid: str
    msgtype: str
    event: str | None
    occurred_at: datetime


class UserOut(BaseModel):
    """One person at all accounts where the person was seen.

    unionid: as requested; null until it is known. After a change of UnionID the person is also
    found by the old one, and each OpenID shows the present one.
    """

    unionid: str | None
    openids: list[OpenIdOut]
    followers: list[FollowerOut]
    consents: list[ConsentOut]
    last_interactions: list[InteractionOut]
    timeline: TimelineOut
