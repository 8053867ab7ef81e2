"""Says why an event does not match a trigger that it nearly matches. Pure."""

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
from app.rules.matching.event_index import (
    MENU_ANSWER,
    UNSUPPORTED,
    EventKey,
    event_key_of,
    waits_for,
)
from app.rules.matching.geo import metres_between, place_of
from app.rules.matching.match_one import matches_text
from app.rules.matching.notification_results import results_of
from app.rules.text.normalize import NormalizedText
from app.wechat.inbound import BaseEvent, Inbound, Location, LocationReport, Unsupported

_LEAST_SHARED: Final = 3


def event_reason(trigger: AnyTrigger, message: Inbound) -> str | None:
    """Return the one reason why an event, a tap or a sticker does not match a trigger.

    None if there are several reasons. The trigger is known not to match. Raises BadPattern.
    """
    match trigger:
        case TextTrigger():
            return _of_a_sticker(trigger, message)
        case FallbackTrigger():
            is_event = isinstance(message, BaseEvent)
            return "a fallback answers messages, and this is an event" if is_event else None
        case LocationTrigger():
            return _of_a_location(trigger, message)
        case SubscribeMsgTrigger():
            return _of_a_result(trigger, message)
    event = event_key_of(message)
    return None if event is None else _of_an_event(trigger, event)


def _of_a_sticker(trigger: TextTrigger, message: Inbound) -> str | None:
    if not isinstance(message, Unsupported):
        return None
    would_match = matches_text(trigger, NormalizedText(message.content))
    reason = "WeChat sends this text in place of a sticker, and no keyword is compared with it"
    return reason if would_match else None


def _of_a_location(trigger: LocationTrigger, message: Inbound) -> str | None:
    point = place_of(message)
    if point is not None:
        metres = metres_between((trigger.latitude, trigger.longitude), point)
        return f"{metres:,.1f} m away, and its radius is {trigger.radius_metres:,} m"
    has_location = isinstance(message, Location | LocationReport)
    reason = "the location is not given as degrees of latitude and longitude"
    return reason if has_location else None


def _of_a_result(trigger: SubscribeMsgTrigger, message: Inbound) -> str | None:
    for template, status in results_of(message):
        if trigger.template in {None, template}:
            return f"it waits for the status {trigger.status}, and this was {status}"
        if trigger.status in {None, status}:
            return f"it waits for the template {trigger.template}, and this was {template}"
    return None


def _of_an_event(trigger: AnyTrigger, event: EventKey) -> str | None:
    name, key = event
    if isinstance(trigger, EventTrigger):
        is_event = name not in {MENU_ANSWER, UNSUPPORTED}
        alike = is_event and _letters(trigger.name) == _letters(name)
        return f"it waits for the event {trigger.name}, and this was {name}" if alike else None
    waits = tuple(waits_for(trigger))
    names = [trigger_name for trigger_name, _, _ in waits]
    _, trigger_key, is_prefix = waits[0]
    if trigger_key is None:
        return None
    if key is None:
        # A follow that came through no QR code, or a sticker.
        return f"it waits for {trigger_key}, and there was none" if name in names else None
    if name not in names:
        same_key = key.startswith(trigger_key) if is_prefix else key == trigger_key
        expected = " or ".join(map(_event_name, names))
        reason = f"it waits for {expected}, and this was {_event_name(name)}"
        return reason if same_key else None
    return _of_another_key(trigger_key, key, is_prefix=is_prefix)


def _of_another_key(trigger_key: str, key: str, *, is_prefix: bool) -> str | None:
    if key.startswith(trigger_key):
        return f"it waits for {trigger_key} alone, and {key} goes on"
    start = key[: len(trigger_key)] if is_prefix else key
    if start.casefold() == trigger_key.casefold():
        return f"letter case counts: it waits for {trigger_key}, and this was {key}"
    shared = sum(
        1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(key, trigger_key, strict=False))
    )
    if shared >= max(_LEAST_SHARED, len(trigger_key) / 2):
        return f"it waits for {trigger_key}, and only the first {shared} characters of {key} agree"
    return None


def _event_name(name: str) -> str:
    return "a tapped answer (msgmenu)" if name == MENU_ANSWER else name


def _letters(name: str) -> str:
    return "".join(filter(str.isalnum, name.casefold()))
