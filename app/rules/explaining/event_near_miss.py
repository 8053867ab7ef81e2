"""What one event lacks to fit a trigger that it nearly fits. Pure."""

from itertools import takewhile
from typing import Final

from app.rules.definition.triggers import (
    AnyTrigger,
    EventTrigger,
    FallbackTrigger,
    LocationTrigger,
    SubscribeMsgTrigger,
    TextTrigger,
)
from app.rules.matching.event_index import MENU_ANSWER, EventKey, event_key_of, waits_for
from app.rules.matching.geo import metres_between, place_of
from app.rules.matching.notification_results import results_of
from app.wechat.inbound import BaseEvent, Inbound, Location, LocationReport

_LEAST_SHARED: Final = 3


def event_lacks(trigger: AnyTrigger, message: Inbound) -> str | None:
    """Return the one thing that keeps an event, or a tap, from a trigger that it does not fit.

    None if there is more than one.
    """
    match trigger:
        case TextTrigger():
            return None
        case FallbackTrigger():
            is_event = isinstance(message, BaseEvent)
            return "a fallback answers messages, and this is an event" if is_event else None
        case LocationTrigger():
            return _of_a_place(trigger, message)
        case SubscribeMsgTrigger():
            return _of_a_result(trigger, message)
    occasion = event_key_of(message)
    return None if occasion is None else _of_an_occasion(trigger, occasion)


def _of_a_place(trigger: LocationTrigger, message: Inbound) -> str | None:
    point = place_of(message)
    if point is not None:
        metres = metres_between((trigger.latitude, trigger.longitude), point)
        return f"{metres:,.1f} m away, and its radius is {trigger.radius_metres:,} m"
    told = isinstance(message, Location | LocationReport)
    return "the place is not given as degrees of latitude and longitude" if told else None


def _of_a_result(trigger: SubscribeMsgTrigger, message: Inbound) -> str | None:
    for template, status in results_of(message):
        if trigger.template in {None, template}:
            return f"it waits for the status {trigger.status}, and this was {status}"
        if trigger.status in {None, status}:
            return f"it waits for the template {trigger.template}, and this was {template}"
    return None


def _of_an_occasion(trigger: AnyTrigger, occasion: EventKey) -> str | None:
    name, key = occasion
    if isinstance(trigger, EventTrigger):
        alike = name != MENU_ANSWER and _letters(trigger.name) == _letters(name)
        return f"it waits for the event {trigger.name}, and this was {name}" if alike else None
    waits = tuple(waits_for(trigger))
    names = [wanted_name for wanted_name, _, _ in waits]
    _, wanted, is_prefix = waits[0]
    if wanted is None:
        return None
    if key is None:
        # A follow that came through no QR code.
        return f"it waits for {wanted}, and there was none" if name in names else None
    if name not in names:
        fits = key.startswith(wanted) if is_prefix else key == wanted
        awaited = " or ".join(map(_told, names))
        return f"it waits for {awaited}, and this was {_told(name)}" if fits else None
    return _of_another_key(wanted, key, is_prefix=is_prefix)


def _of_another_key(wanted: str, key: str, *, is_prefix: bool) -> str | None:
    if key.startswith(wanted):
        return f"it waits for {wanted} alone, and {key} goes on"
    start = key[: len(wanted)] if is_prefix else key
    if start.casefold() == wanted.casefold():
        return f"letter case counts: it waits for {wanted}, and this was {key}"
    shared = sum(
        1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(key, wanted, strict=False))
    )
    if shared >= max(_LEAST_SHARED, len(wanted) / 2):
        return f"it waits for {wanted}, and only the first {shared} characters of {key} agree"
    return None


def _told(name: str) -> str:
    return "a tapped answer (msgmenu)" if name == MENU_ANSWER else name


def _letters(name: str) -> str:
    return "".join(filter(str.isalnum, name.casefold()))
