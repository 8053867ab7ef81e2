"""JSON shapes of events, followers and consents."""

from collections.abc import Mapping
from datetime import datetime
from typing import Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from app.events.models import (
    Consent,
    ConsentState,
    FollowAction,
    FollowEvent,
    Source,
    SubscriptionAction,
)


class FollowEventOut(BaseModel):
    """One follow, unfollow or scan. unionid: null until it is known.

    scene: value of the parameterised QR code, if any. refollow: true for a follow of a person who
    had unfollowed before. source: event, or sync if WeChat pushed no event and a sync found it;
    occurred_at of an unfollow is then the time when it was found.
    """

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    appid: str
    openid: str
    unionid: str | None
    action: FollowAction
    refollow: bool = False
    scene: str | None
    source: Source
    occurred_at: datetime

    @classmethod
    def of(cls, event: FollowEvent, refollows: set[UUID]) -> Self:
        """Return one event. refollows: ids of those follows that are re-follows."""
        return cls.model_validate(event).model_copy(update={"refollow": event.id in refollows})


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


class FollowerOut(BaseModel):
    """Whether a person follows an account, since when, and from where the person came.

    followed_at, scene, how: those of the latest follow, kept after an unfollow; null if that follow
    was not seen. how: WeChat's subscribe_scene, if known. source: that of the latest follow or
    unfollow.
    """

    model_config = ConfigDict(from_attributes=True)

    appid: str
    openid: str
    unionid: str | None
    following: bool
    followed_at: datetime | None
    unfollowed_at: datetime | None
    scene: str | None
    how: str | None
    source: Source


class ConsentOut(BaseModel):
    """A person's consent to subscription notifications of one template.

    state: null when only deliveries are known. sends_left: accepted popups minus those that
    deliveries used up; 0 unless the state is accept. A delivery whose popup is from before the
    account was connected uses up no other popup.
    """

    model_config = ConfigDict(from_attributes=True)

    appid: str
    openid: str
    template_id: str
    state: ConsentState | None
    decided_at: datetime | None
    sends_left: int

    @classmethod
    def of(cls, consent: Consent, left: Mapping[tuple[str, str, str], int]) -> Self:
        """Return one consent. left: remaining sends by (appid, openid, template_id)."""
        key = (consent.appid, consent.openid, consent.template_id)
        return cls.model_validate(consent).model_copy(update={"sends_left": left[key]})


class _Page(BaseModel):
    """A page in the order of arrival; with `from` or `until` in the order of time.

    next: pass it as `after`; null on the last page. later: pass it as `after` at any later time
    to read what has arrived since; null in the order of time.
    """

    next: str | None
    later: str | None


class FollowEventPage(_Page):
    """A page of follow events."""

    items: list[FollowEventOut]


class SubscriptionEventPage(_Page):
    """A page of subscription events."""

    items: list[SubscriptionEventOut]


class FollowerPage(_Page):
    """A page of followers; in the order of arrival the earliest known ones come first."""

    items: list[FollowerOut]
