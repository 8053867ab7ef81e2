"""The triggers of rules that answer events and locations. Source: protocol 4.3, 9.1 and 9.5."""

from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, Field, StrictFloat, StrictInt, model_validator
from pydantic_core import PydanticCustomError

from app.rules.definition.fields import Strict, Trimmed, unset
from app.wechat.inbound.follow_events import SCENE_PREFIX

MAX_SCENE_CHARACTERS = 64
MAX_KEY_BYTES = 128
MAX_URL_CHARACTERS = 1024
MAX_RADIUS_METRES = 1_000_000

_EVENTS_WITH_A_TRIGGER: Final = {
    "subscribe": "subscribe",
    "unsubscribe": "unsubscribe",
    "scan": "scan",
    "click": "click",
    "view": "view",
    "view_miniprogram": "view_miniprogram",
    "location": "location",
    "subscribe_msg_popup_event": "subscribe_msg",
    "subscribe_msg_change_event": "subscribe_msg",
    "subscribe_msg_sent_event": "subscribe_msg",
}


def _fits_a_key(key: str) -> str:
    if len(key.encode()) > MAX_KEY_BYTES:
        raise ValueError(
            f"is longer than {MAX_KEY_BYTES} bytes, as no key of a menu is: shorten it"
        )
    return key


def _without_own_trigger(name: str) -> str:
    own = _EVENTS_WITH_A_TRIGGER.get(name.lower())
    if own is not None:
        raise ValueError(f'has a trigger of its own: use "on": "{own}"')
    return name


def _without_wechat_prefix(scene: str) -> str:
    if scene.startswith(SCENE_PREFIX):
        raise ValueError(
            f"can't start with {SCENE_PREFIX}, which WeChat puts before it and which is taken off: "
            "write what follows it"
        )
    return scene


Scene = Annotated[
    Trimmed, Field(max_length=MAX_SCENE_CHARACTERS), AfterValidator(_without_wechat_prefix)
]
_Address = Annotated[Trimmed, Field(max_length=MAX_URL_CHARACTERS)]


class _KeyOrPrefix(Strict):
    """A trigger with a member and its prefix form, of which at most one may be given."""

    def _refuse_both(self, key: str, prefix: str) -> None:
        if getattr(self, key) is not None and getattr(self, prefix) is not None:
            raise PydanticCustomError(
                "misplaced",
                "can't stand beside {key}: remove one of them",
                {"field": prefix, "key": key},
            )


class _SceneTrigger(_KeyOrPrefix):
    scene: Scene | None = Field(default=None, exclude_if=unset)
    """Only the QR code of this scene."""
    scene_prefix: Scene | None = Field(default=None, exclude_if=unset)
    """Only a QR code whose scene starts with this."""

    @model_validator(mode="after")
    def _one_scene(self) -> Self:
        self._refuse_both("scene", "scene_prefix")
        return self


class SubscribeTrigger(_SceneTrigger):
    """Someone followed, in any way or through the QR code of a scene."""

    on: Literal["subscribe"]
    """The kind of trigger."""


class ScanTrigger(_SceneTrigger):
    """Someone scanned the QR code of this scene, whether or not they already follow."""

    on: Literal["scan"]
    """The kind of trigger."""

    @model_validator(mode="after")
    def _some_scene(self) -> Self:
        if self.scene is None and self.scene_prefix is None:
            raise PydanticCustomError("missing", "is missing", {"field": "scene"})
        return self


class UnsubscribeTrigger(Strict):
    """Someone unfollowed. They can no longer be answered; the callback is stored with the rule."""

    on: Literal["unsubscribe"]
    """The kind of trigger."""


class ClickTrigger(Strict):
    """A follower tapped the menu item with this key."""

    on: Literal["click"]
    """The kind of trigger."""
    key: Annotated[Trimmed, AfterValidator(_fits_a_key)]
    """The key of the menu item."""


class ViewTrigger(_KeyOrPrefix):
    """A follower opened a page from the menu."""

    on: Literal["view"]
    """The kind of trigger."""
    url: _Address | None = Field(default=None, exclude_if=unset)
    """Only this page."""
    url_prefix: _Address | None = Field(default=None, exclude_if=unset)
    """Only a page whose address starts with this."""

    @model_validator(mode="after")
    def _one_url(self) -> Self:
        self._refuse_both("url", "url_prefix")
        return self


class ViewMiniProgramTrigger(_KeyOrPrefix):
    """A follower opened a mini-program from the menu."""

    on: Literal["view_miniprogram"]
    """The kind of trigger."""
    pagepath: _Address | None = Field(default=None, exclude_if=unset)
    """Only this page."""
    pagepath_prefix: _Address | None = Field(default=None, exclude_if=unset)
    """Only a page whose path starts with this."""

    @model_validator(mode="after")
    def _one_pagepath(self) -> Self:
        self._refuse_both("pagepath", "pagepath_prefix")
        return self


class SubscribeMsgTrigger(Strict):
    """A follower accepted or rejected a notification, or a notification was delivered or not."""

    on: Literal["subscribe_msg"]
    """The kind of trigger."""
    template: Annotated[Trimmed, Field(max_length=128)] | None = Field(
        default=None, exclude_if=unset
    )
    """The id of its template; left out, any template."""
    status: Literal["accept", "reject", "ban", "sent", "failed"] | None = Field(
        default=None, exclude_if=unset
    )
    """The decision (accept, reject, ban) or the delivery (sent, failed); left out, any."""


class LocationTrigger(Strict):
    """A follower sent or reported a location near a point."""

    on: Literal["location"]
    """The kind of trigger."""
    latitude: Annotated[StrictFloat | StrictInt, Field(ge=-90, le=90)]
    """Of the point, in degrees."""
    longitude: Annotated[StrictFloat | StrictInt, Field(ge=-180, le=180)]
    """Of the point, in degrees."""
    radius_metres: Annotated[StrictFloat | StrictInt, Field(gt=0, le=MAX_RADIUS_METRES)]
    """How far from the point the location may be."""


class EventTrigger(Strict):
    """An event that has no trigger of its own, by its name; letter case is ignored."""

    on: Literal["event"]
    """The kind of trigger."""
    name: Annotated[Trimmed, Field(max_length=128), AfterValidator(_without_own_trigger)]
    """The name of the event, as WeChat writes it."""


def keys_of(trigger: object) -> tuple[str | None, str | None] | None:
    """Return the key and the prefix of a trigger; None for a trigger without such members.

    The key is a scene, an address or the path of a page.
    """
    match trigger:
        case SubscribeTrigger() | ScanTrigger():
            return trigger.scene, trigger.scene_prefix
        case ViewTrigger():
            return trigger.url, trigger.url_prefix
        case ViewMiniProgramTrigger():
            return trigger.pagepath, trigger.pagepath_prefix
    return None
