"""Follow and subscription events of a push. Pure functions."""

from dataclasses import dataclass
from uuid import UUID

from uuid_utils.compat import uuid7

from app.events.models import FollowAction, SubscriptionAction
from app.wechat.inbound import (
    Inbound,
    Scan,
    Subscribe,
    SubscribeMsgChange,
    SubscribeMsgPopup,
    SubscribeMsgSent,
    Unsubscribe,
)


@dataclass(frozen=True, slots=True)
class NewFollow:
    """A follow, unfollow or scan. scene: value of the parameterised QR code, None without one."""

    action: FollowAction
    scene: str | None = None
    ticket: str | None = None


@dataclass(frozen=True, slots=True)
class NewSubscription:
    """One template of one subscribe_msg event. Source: protocol 4.3."""

    id: UUID
    action: SubscriptionAction
    template_id: str
    status: str | None = None
    popup_scene: str | None = None
    msgid: str | None = None
    error_code: str | None = None


def follow_of(message: Inbound) -> NewFollow | None:
    """Return the follow, unfollow or scan that the push reports, if it does."""
    if isinstance(message, Subscribe):
        return NewFollow(FollowAction.FOLLOW, message.scene, message.ticket)
    if isinstance(message, Unsubscribe):
        return NewFollow(FollowAction.UNFOLLOW)
    if isinstance(message, Scan):
        return NewFollow(FollowAction.SCAN, message.scene, message.ticket)
    return None


def subscriptions_of(message: Inbound) -> tuple[NewSubscription, ...]:
    """Return one entry per template of a subscribe_msg event, in the push's order."""
    if isinstance(message, SubscribeMsgPopup):
        return tuple(
            NewSubscription(
                uuid7(),
                SubscriptionAction.POPUP,
                item.template_id or "",
                item.subscribe_status,
                popup_scene=item.popup_scene,
            )
            for item in message.items
        )
    if isinstance(message, SubscribeMsgChange):
        return tuple(
            NewSubscription(
                uuid7(), SubscriptionAction.CHANGE, item.template_id or "", item.subscribe_status
            )
            for item in message.items
        )
    if isinstance(message, SubscribeMsgSent):
        return tuple(
            NewSubscription(
                uuid7(),
                SubscriptionAction.SENT,
                item.template_id or "",
                item.error_status,
                msgid=item.msg_id,
                error_code=item.error_code,
            )
            for item in message.items
        )
    return ()
