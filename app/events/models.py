"""Tables of events (follow_events, subscription_events) and of the state (followers, consents).

Rows of events are only added. position: order of arrival over all of these tables; the column
default is the database function `oa_bridge_next_position`. Rows may still appear anywhere above
the position that `oa_bridge_settled_position` returns; see `app.events.store`.
"""

from datetime import date, datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from sqlalchemy import Computed, Identity, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base

# One character more than a filter may have, so that no longer scene is taken for a shorter one.
INDEXED_SCENE_CHARACTERS: Final = 129


def _list_indexes(table: str, kind: str, scene: str, time: str) -> tuple[Index, ...]:
    """Return indexes for lists by kind or scene, in the order of arrival or of time.

    They hold the start of a scene alone: Postgres refuses a row whose index entry is larger than
    2,704 bytes, and a follow must not be lost for its scene.
    """
    has_scene = text(f"{scene} IS NOT NULL")
    start = text(f'"left"({scene}, {INDEXED_SCENE_CHARACTERS})')
    return (
        Index(f"ix_{table}_arrival", "appid", kind, "position"),
        Index(f"ix_{table}_time", "appid", kind, time, "position"),
        Index(
            f"ix_{table}_scene_arrival",
            "appid",
            start,
            kind,
            "position",
            postgresql_where=has_scene,
        ),
        Index(
            f"ix_{table}_scene_time",
            "appid",
            start,
            kind,
            time,
            "position",
            postgresql_where=has_scene,
        ),
    )


class FollowAction(StrEnum):
    """What a person did. A follow after an unfollow is a re-follow; no value of its own says so."""

    FOLLOW = "follow"
    UNFOLLOW = "unfollow"
    SCAN = "scan"


class Source(StrEnum):
    """Origin of a row: an event that WeChat pushed, or a sync that found it afterwards."""

    EVENT = "event"
    SYNC = "sync"


class FollowEvent(Base):
    """One follow, unfollow or scan. unionid is NULL until it is known.

    callback_id: NULL for the source sync. occurred_at: CreateTime; for the source sync it is the
    subscribe_time of a follow, or the time when an unfollow was noticed. scene: value of the
    parameterised QR code, without `qrscene_`.
    """

    __tablename__ = "follow_events"
    __table_args__ = (
        Index(None, "unionid", "occurred_at"),
        Index("ix_follow_events_latest", "appid", "openid", "occurred_at", "position"),
        *_list_indexes("follow_events", "action", "scene", "occurred_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)  # UUIDv7
    callback_id: Mapped[UUID | None]
    appid: Mapped[str]
    openid: Mapped[str]
    unionid: Mapped[str | None]
    action: Mapped[FollowAction]
    scene: Mapped[str | None]
    ticket: Mapped[str | None]
    occurred_at: Mapped[datetime]  # CreateTime: WeChat's clock, UTC, whole seconds
    source: Mapped[Source] = mapped_column(server_default=Source.EVENT.value)
    position: Mapped[int] = mapped_column(server_default=text("oa_bridge_next_position()"))


class SubscriptionAction(StrEnum):
    """What happened to one template; one value for each of WeChat's subscribe_msg events."""

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
        Index("ix_subscription_events_latest", "appid", "openid", "occurred_at", "position"),
        *_list_indexes("subscription_events", "action", "popup_scene", "occurred_at"),
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
    position: Mapped[int] = mapped_column(server_default=text("oa_bridge_next_position()"))


class SubscriptionDayCount(Base):
    """By how much the events of a template on a day of UTC+8 became more or fewer, by measure.

    The sum of `count` is how many there are. measure: what the figures call them; `other` if they
    are in no figure. is_merged: whether the row is the sum of earlier rows.
    """

    __tablename__ = "subscription_day_counts"
    __table_args__ = (
        Index(None, "appid", "day"),
        Index("ix_subscription_day_counts_new", "id", postgresql_where=text("NOT is_merged")),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    appid: Mapped[str]
    day: Mapped[date]
    template_id: Mapped[str]
    measure: Mapped[str]
    count: Mapped[int]
    is_merged: Mapped[bool] = mapped_column(server_default=text("false"))


class Follower(Base):
    """Whether a person follows an account, since when, and from where the person came.

    The latest follow or unfollow by (last_at, last_id) decides; last_id, a UUIDv7, orders events of
    the same second by arrival. followed_at, followed_id, scene, how: those of the latest follow,
    kept after an unfollow. how: WeChat's subscribe_scene, if known. source: that of the latest
    event. position: that of the first arrival; a change of state does not change it.
    """

    __tablename__ = "followers"
    __table_args__ = (
        Index(None, "unionid", "appid"),
        *_list_indexes("followers", "following", "scene", "followed_at"),
        # The audience of a notice is read from it alone.
        Index(
            "ix_followers_following",
            "appid",
            "openid",
            postgresql_where=text("following"),
            postgresql_concurrently=True,
        ),
    )

    appid: Mapped[str] = mapped_column(primary_key=True)
    openid: Mapped[str] = mapped_column(primary_key=True)
    unionid: Mapped[str | None]
    following: Mapped[bool]
    followed_at: Mapped[datetime | None]
    followed_id: Mapped[UUID | None]
    unfollowed_at: Mapped[datetime | None]
    scene: Mapped[str | None]
    how: Mapped[str | None]
    source: Mapped[Source] = mapped_column(server_default=Source.EVENT.value)
    last_at: Mapped[datetime]
    last_id: Mapped[UUID]
    position: Mapped[int] = mapped_column(server_default=text("oa_bridge_next_position()"))


class ConsentState(StrEnum):
    """A person's latest decision about a template."""

    ACCEPT = "accept"
    REJECT = "reject"
    BAN = "ban"


class Consent(Base):
    """A person's consent to subscription notifications of one template.

    state: the latest decision by (decided_at, decided_id); NULL when only deliveries are known.
    accepted: popups answered with accept; each allows one send. delivered: sends that WeChat
    reports as delivered. sends_left: accepted minus delivered, 0 unless the state is accept. It is
    too low if a delivery belongs to a popup that was not seen; `users.remaining_sends` corrects
    that. template_id: `sha256:…` in place of one that is too long for an index; the event has it
    whole. WeChat does not document whether a rejection voids earlier popups: they count again after
    a new accept, and errcode 43101 of a send is the final answer. Source: protocol 9.3.
    """

    __tablename__ = "consents"
    __table_args__ = (
        Index(None, "unionid"),
        # The audience of a notice is read from it alone, so it holds how many sends are left.
        Index(
            "ix_consents_sends",
            "appid",
            "template_id",
            "openid",
            postgresql_include=["sends_left"],
            postgresql_where=text("sends_left > 0"),
            postgresql_concurrently=True,
        ),
    )

    appid: Mapped[str] = mapped_column(primary_key=True)
    openid: Mapped[str] = mapped_column(primary_key=True)
    template_id: Mapped[str] = mapped_column(primary_key=True)
    unionid: Mapped[str | None]
    state: Mapped[ConsentState | None]
    decided_at: Mapped[datetime | None]
    decided_id: Mapped[UUID | None]
    accepted: Mapped[int] = mapped_column(server_default=text("0"))
    delivered: Mapped[int] = mapped_column(server_default=text("0"))
    sends_left: Mapped[int] = mapped_column(
        Computed(
            "CASE WHEN state = 'accept' THEN GREATEST(accepted - delivered, 0) ELSE 0 END",
            persisted=True,
        )
    )
