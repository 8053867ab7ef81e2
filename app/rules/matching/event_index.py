"""Events and taps as a name and a key, which rules are looked up by."""

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
    ViewMiniProgramTrigger,
    ViewTrigger,
)
from app.wechat import inbound
from app.wechat.inbound import Inbound

Occasion = tuple[str, str | None]
"""A name, and a scene, key or address; None stands for any."""

MENU_ANSWER: Final = "MSGMENU"
"""The name of a tapped answer, which is no event: names of events are in lower case here."""


@dataclass(frozen=True, slots=True)
class Occasions:
    """Ranks by exact occasion, and by occasions whose key only starts so.

    prefix_lengths: by name, ascending.
    """

    exact: Mapping[Occasion, tuple[int, ...]]
    prefix: Mapping[Occasion, tuple[int, ...]]
    prefix_lengths: Mapping[str, tuple[int, ...]]

    @classmethod
    def of(cls, triggers: Iterable[tuple[int, AnyTrigger]]) -> Self:
        """Sort triggers by what they wait for, each with its rank."""
        exact: defaultdict[Occasion, list[int]] = defaultdict(list)
        prefix: defaultdict[Occasion, list[int]] = defaultdict(list)
        for rank, trigger in triggers:
            for name, key, is_prefix in waits_for(trigger):
                (prefix if is_prefix else exact)[name, key].append(rank)
        lengths: defaultdict[str, set[int]] = defaultdict(set)
        for name, key in prefix:
            lengths[name].add(len(key or ""))
        return cls(
            {occasion: tuple(ranks) for occasion, ranks in exact.items()},
            {occasion: tuple(ranks) for occasion, ranks in prefix.items()},
            {name: tuple(sorted(found)) for name, found in lengths.items()},
        )

    def ranks(self, message: Inbound) -> Iterator[int]:
        """Yield the ranks that wait for what happened."""
        occasion = occasion_of(message)
        if occasion is None:
            return
        name, key = occasion
        yield from self.exact.get((name, None), ())
        if key is None:
            return
        yield from self.exact.get(occasion, ())
        for length in self.prefix_lengths.get(name, ()):
            if length > len(key):
                break
            yield from self.prefix.get((name, key[:length]), ())


def waits_for(trigger: AnyTrigger) -> Iterator[tuple[str, str | None, bool]]:
    """Yield name, key and whether the key is only a beginning, for every occasion that fits."""
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
        case UnsubscribeTrigger():
            yield "unsubscribe", None, False
        case EventTrigger(name=name):
            yield name.lower(), None, False


def occasion_of(message: Inbound) -> Occasion | None:
    """Return what happened; None for a message that is no event and no tap."""
    match message:
        case inbound.Text(bizmsgmenuid=menu_id):
            return None if menu_id is None else (MENU_ANSWER, menu_id)
        case inbound.Subscribe() | inbound.Scan():
            return message.event.lower(), message.scene
        case inbound.MenuEvent():
            return str(getattr(message, "event", "")).lower(), message.event_key
        case inbound.BaseEvent():
            return str(getattr(message, "event", "")).lower(), None
    return None
