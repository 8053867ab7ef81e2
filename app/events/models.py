"""Tables of the events room: what happened, never what is; rows are only added."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base


class FollowAction(StrEnum):
    """What the follower did."""

    FOLLOW = "follow"
    UNFOLLOW = "unfollow"


class FollowEvent(Base):
    """One follow or unfollow. unionid is NULL until `identity.resolve` learns it."""

    __tablename__ = "follow_events"
    __table_args__ = (
        Index(None, "unionid", "occurred_at"),
        Index(None, "appid", "openid"),
        Index(None, "appid", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)  # UUIDv7: also the order of arrival
    callback_id: Mapped[UUID]
    appid: Mapped[str]
    openid: Mapped[str]
    unionid: Mapped[str | None]
    action: Mapped[FollowAction]
    scene: Mapped[str | None]  # scene value of the parameterised QR code, without qrscene_
    ticket: Mapped[str | None]
    occurred_at: Mapped[datetime]  # CreateTime: WeChat's clock, UTC, whole seconds


class SubscriptionAction(StrEnum):
    """What happened to one template: WeChat's three subscribe_msg events."""

    POPUP = "popup"
    CHANGE = "change"
    SENT = "sent"


class SubscriptionEvent(Base):
    """One template of one subscribe_msg event. unionid is NULL until it is known.

    status: accept, reject or ban for popup and change; the ErrorStatus for sent.
    """

    __tablename__ = "subscription_events"
    __table_args__ = (
        Index(None, "unionid", "occurred_at"),
        Index(None, "appid", "openid"),
        Index(None, "appid", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    callback_id: Mapped[UUID]
    appid: Mapped[str]
    openid: Mapped[str]
    unionid: Mapped[str | None]
    action: Mapped[SubscriptionAction]
    template_id: Mapped[str]
    status: Mapped[str | None]
    popup_scene: Mapped[str | None]
    msgid: Mapped[str | None]
    error_code: Mapped[str | None]
    occurred_at: Mapped[datetime]
