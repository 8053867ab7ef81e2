"""Events as `/api/follow-events` and `/api/subscription-events` tell them."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from app.events.models import FollowAction, SubscriptionAction


class FollowEventOut(BaseModel):
    """One follow or unfollow. unionid: null until it is known. scene: of the QR code, if any."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    appid: str
    openid: str
    unionid: str | None
    action: FollowAction
    scene: str | None
    occurred_at: datetime


class FollowEventPage(BaseModel):
    """Events in the order of arrival. next: pass it as `after`; null on the last page."""

    items: list[FollowEventOut]
    next: UUID | None


class SubscriptionEventOut(BaseModel):
    """One template of one subscribe_msg event."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    appid: str
    openid: str
    unionid: str | None
    action: SubscriptionAction
    template_id: str
    status: str | None
    popup_scene: str | None
    msgid: str | None
    error_code: str | None
    occurred_at: datetime


class SubscriptionEventPage(BaseModel):
    """Events in the order of arrival. next: pass it as `after`; null on the last page."""

    items: list[SubscriptionEventOut]
    next: UUID | None
