"""Events and followers as the lists tell them."""

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

    scene: of the parameterised QR code, if any. refollow: a follow of a person who had left
    before. source: sync when no event told of it and a synchronisation found it; occurred_at is
    then when it was found.
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
        """Tell one event. refollows: ids of those follows that are re-follows."""
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
    """Whether a person follows an account, since when, and how they came.

    followed_at, scene, how: of the latest follow, kept after an unfollow; null when it was not
    seen. how: WeChat's subscribe_scene, as far as it is known. source: of what decided last.
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
    """What a person lets an account send them by one template.

    state: null when only deliveries are known. sends_left: accepted popups less those that
    deliveries used up; 0 unless the state is accept. A delivery whose popup was not seen, from
    before the account was connected, uses up none.
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
        """Tell one consent. left: sends by AppID, OpenID and template."""
        key = (consent.appid, consent.openid, consent.template_id)
        return cls.model_validate(consent).model_copy(update={"sends_left": left[key]})


class _Page(BaseModel):
    """A page in the order of arrival; in the order of time if asked for a range of time.

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
    """A page of followers, those first that were known first."""

    items: list[FollowerOut]
