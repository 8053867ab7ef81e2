"""Events: follow, unfollow, scan and location report. Source: protocol 4.3."""

from typing import Annotated, ClassVar, Literal

from app.value_class import value_class
from app.wechat.inbound.base import BaseEvent
from app.wechat.inbound.decode_elements import Element, trimmed

SCENE_PREFIX = "qrscene_"


def _follow_scene(value: object) -> str | None:
    event_key = trimmed(value)
    if event_key is None or not event_key.startswith(SCENE_PREFIX):
        return None
    return event_key.removeprefix(SCENE_PREFIX) or None


@value_class(kw_only=True, repr=False)
class Subscribe(BaseEvent):
    """A follow. scene: of the parameterised QR code that was scanned, without `qrscene_`."""

    event: ClassVar[Literal["subscribe"]] = "subscribe"
    event_key: Annotated[str | None, Element("EventKey")] = None
    scene: Annotated[str | None, Element("EventKey", read=_follow_scene)] = None
    ticket: Annotated[str | None, Element("Ticket")] = None


@value_class(kw_only=True, repr=False)
class Unsubscribe(BaseEvent):
    """An unfollow: the person's information must be erased. Source: protocol 10."""

    event: ClassVar[Literal["unsubscribe"]] = "unsubscribe"


@value_class(kw_only=True, repr=False)
class Scan(BaseEvent):
    """A follower scanned a parameterised QR code."""

    event: ClassVar[Literal["SCAN"]] = "SCAN"
    scene: Annotated[str | None, Element("EventKey")] = None
    ticket: Annotated[str | None, Element("Ticket")] = None


@value_class(kw_only=True, repr=False)
class LocationReport(BaseEvent):
    """A follower's reported position, in degrees; precision in metres. `Location` is a message."""

    event: ClassVar[Literal["LOCATION"]] = "LOCATION"
    latitude: Annotated[str | None, Element("Latitude")] = None
    longitude: Annotated[str | None, Element("Longitude")] = None
    precision: Annotated[str | None, Element("Precision")] = None
