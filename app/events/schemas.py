"""JSON shapes of events, followers and consents."""

from collections.abc import Mapping
from datetime import datetime
from typing import Self
from uuid import UUID

from pydantic import ConfigDict

from app.api_model import ApiModel
from app.events.models import (
    Consent,
    ConsentState,
    FollowAction,
    FollowEvent,
    Source,
    SubscriptionAction,
)


class FollowEventOut(ApiModel):
    """One follow, unfollow or scan."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    """The id of the event."""
    appid: str
    """The account."""
    openid: str
    """The person at this account."""
    unionid: str | None
    """The person at all accounts; null until it is known."""
    action: FollowAction
    """What the person did."""
    refollow: bool = False
    """Whether it is a follow of a person who had unfollowed before."""
    scene: str | None
    """Value of the parameterised QR code, if any."""
    source: Source
    """`event`, or `sync` if WeChat pushed no event and a sync found it."""
    occurred_at: datetime
    """When it happened; for an unfollow that a sync found, when it was found."""

    @classmethod
    def of(cls, event: FollowEvent, refollows: set[UUID]) -> Self:
        """Return one event. refollows: ids of those follows that are re-follows."""
        return cls.model_validate(event).model_copy(update={"refollow": event.id in refollows})


class SubscriptionEventOut(ApiModel):
    """One template of one subscribe_msg event."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    """The id of the event."""
    appid: str
    """The account."""
    openid: str
    """The person at this account."""
    unionid: str | None
    """The person at all accounts; null until it is known."""
    action: SubscriptionAction
    """Which of WeChat's subscribe_msg events it was."""
    template_id: str
    """The template of the notification."""
    status: str | None
    """The decision or the outcome, as WeChat names it."""
    popup_scene: str | None
    """Where the popup was shown: 0 mini-program, 1 H5 page, 2 article."""
    msgid: str | None
    """WeChat's id of the notification."""
    error_code: str | None
    """WeChat's error code of the delivery."""
    occurred_at: datetime
    """When it happened."""


class FollowerOut(ApiModel):
    """Whether a person follows an account, since when, and from where the person came.

    The members of the latest follow are kept after an unfollow; they are null if that follow was
    not seen.
    """

    model_config = ConfigDict(from_attributes=True)

    appid: str
    """The account."""
    openid: str
    """The person at this account."""
    unionid: str | None
    """The person at all accounts; null until it is known."""
    following: bool
    """Whether the person follows now."""
    followed_at: datetime | None
    """The time of the latest follow."""
    unfollowed_at: datetime | None
    """The time of the latest unfollow."""
    scene: str | None
    """Value of the parameterised QR code of the latest follow."""
    how: str | None
    """WeChat's subscribe_scene of the latest follow, if known."""
    source: Source
    """Where the latest follow or unfollow is known from."""


class ConsentOut(ApiModel):
    """A person's consent to subscription notifications of one template."""

    model_config = ConfigDict(from_attributes=True)

    appid: str
    """The account."""
    openid: str
    """The person at this account."""
    template_id: str
    """The template of the notifications."""
    state: ConsentState | None
    """The decision; null when only deliveries are known."""
    decided_at: datetime | None
    """When the person decided."""
    sends_left: int
    """Accepted popups minus those that deliveries used up; 0 unless the state is accept. A delivery
    whose popup is from before the account was connected uses up no other popup.
    """

    @classmethod
    def of(cls, consent: Consent, left: Mapping[tuple[str, str, str], int]) -> Self:
        """Return one consent. left: remaining sends by (appid, openid, template_id)."""
        key = (consent.appid, consent.openid, consent.template_id)
        return cls.model_validate(consent).model_copy(update={"sends_left": left[key]})


class _Page(ApiModel):
    """A page in the order of arrival; with `from` or `until` in the order of time."""

    next: str | None
    """Pass it as `after` for the next page; null on the last page."""
    later: str | None
    """Pass it as `after` at any later time to read what has arrived since; null in the order of
    time.
    """


class FollowEventPage(_Page):
    """A page of follow events."""

    items: list[FollowEventOut]
    """The events."""


class SubscriptionEventPage(_Page):
    """A page of subscription events."""

    items: list[SubscriptionEventOut]
    """The events."""


class FollowerPage(_Page):
    """A page of followers; in the order of arrival the earliest known ones come first."""

    items: list[FollowerOut]
    """The followers."""
