"""Finds the triggers that wait for an event, a tapped answer or a sticker, by name and key."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Self

from app.rules.definition.triggers import (
    AnyTrigger,
    ClickTrigger,
    EventTrigger,
    MsgMenuTrigger,
    ScanTrigger,
    SubscribeTrigger,
    UnsubscribeTrigger,
    UnsupportedTrigger,
    ViewMiniProgramTrigger,
    ViewTrigger,
)
from app.wechat import inbound
from app.wechat.inbound import Inbound

EventKey = tuple[str, str | None]
"""The name of an event, and its scene, key or address; None: it has none, or any will do."""

MENU_ANSWER: Final = "MSGMENU"
"""The name of a tapped answer, which is not an event. Names of events are in lower case."""

UNSUPPORTED: Final = "UNSUPPORTED"
"""The name of a sticker and of whatever else WeChat does not pass on; not an event either."""


@dataclass(frozen=True, slots=True)
class EventIndex:
    """Ranks by what their triggers wait for.

    exact: by name and whole key. prefix: by name and the start of the key. prefix_lengths: the
    lengths of these starts, by name, ascending.
    """

    exact: Mapping[EventKey, tuple[int, ...]]
    prefix: Mapping[EventKey, tuple[int, ...]]
    prefix_lengths: Mapping[str, tuple[int, ...]]

    @classmethod
    def of(cls, triggers: Iterable[tuple[int, AnyTrigger]]) -> Self:
        """Compile triggers, given as rank and trigger."""
        exact: defaultdict[EventKey, list[int]] = defaultdict(list)
        prefix: defaultdict[EventKey, list[int]] = defaultdict(list)
        for rank, trigger in triggers:
            for name, key, is_prefix in waits_for(trigger):
                (prefix if is_prefix else exact)[name, key].append(rank)
        lengths: defaultdict[str, set[int]] = defaultdict(set)
        for name, key in prefix:
            lengths[name].add(len(key or ""))
        return cls(
            {event: tuple(ranks) for event, ranks in exact.items()},
            {event: tuple(ranks) for event, ranks in prefix.items()},
            {name: tuple(sorted(found)) for name, found in lengths.items()},
        )

    def ranks(self, message: Inbound) -> Iterator[int]:
        """Yield the ranks whose triggers match the message."""
        event = event_key_of(message)
        if event is None:
            return
        name, key = event
        yield from self.exact.get((name, None), ())
        if key is None:
            return
        yield from self.exact.get(event, ())
        for length in self.prefix_lengths.get(name, ()):
            if length > len(key):
                break
            yield from self.prefix.get((name, key[:length]), ())


def waits_for(trigger: AnyTrigger) -> Iterator[tuple[str, str | None, bool]]:
    """Yield the name, the key and whether the key is a prefix, for each event that matches.

    A scan of a QR code by someone who does not follow yet arrives as a subscribe event.
    """
    match trigger:
        case SubscribeTrigger(scene=scene, scene_prefix=prefix):
            yield "subscribe", prefix or scene, prefix is not None
        case ScanTrigger(scene=scene, scene_prefix=prefix):
            yield "scan", prefix or scene, prefix is not None
            yield "subscribe", prefix or scene, prefix is not None
        case ClickTrigger(key=key):
            yield "click", key, False
        case ViewTrigger(url=url, url_prefix=prefix):
            yield "view", prefix or url, prefix is not None
        case ViewMiniProgramTrigger(pagepath=pagepath, pagepath_prefix=prefix):
            yield "view_miniprogram", prefix or pagepath, prefix is not None
        case MsgMenuTrigger(id=menu_id):
            yield MENU_ANSWER, menu_id, False
        case UnsupportedTrigger():
            yield UNSUPPORTED, None, False
        case UnsubscribeTrigger():
            yield "unsubscribe", None, False
        case EventTrigger(name=name):
            yield name.lower(), None, False


def event_key_of(message: Inbound) -> EventKey | None:
    """Return the name and key of an event, a tapped answer or a sticker; else None."""
    match message:
        case inbound.Unsupported():
            return UNSUPPORTED, None
        case inbound.Text(bizmsgmenuid=menu_id):
            return None if menu_id is None else (MENU_ANSWER, menu_id)
        case inbound.Subscribe() | inbound.Scan():
            return message.event.lower(), message.scene
        case inbound.MenuEvent():
            return str(getattr(message, "event", "")).lower(), message.event_key
        case inbound.BaseEvent():
            return str(getattr(message, "event", "")).lower(), None
    return None
