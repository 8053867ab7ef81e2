"""Matches one trigger with one message, without an index. Pure."""

from app.rules.definition.triggers import (
    AnyTrigger,
    FallbackTrigger,
    LocationTrigger,
    SubscribeMsgTrigger,
    TextTrigger,
)
from app.rules.matching.event_index import event_key_of, waits_for
from app.rules.matching.geo import lies_within, place_of
from app.rules.matching.notification_results import is_result, results_of
from app.rules.matching.text_index import TextMatcher
from app.rules.text.normalize import NormalizedText
from app.wechat.inbound import BaseMessage, Inbound, Voice


def matches(trigger: AnyTrigger, message: Inbound, text: NormalizedText | None) -> bool:
    """Tell whether a message matches a trigger. Raises BadPattern.

    text: `text_of` the message.
    """
    match trigger:
        case TextTrigger():
            heard = trigger.voice or not isinstance(message, Voice)
            return text is not None and heard and matches_text(trigger, text)
        case LocationTrigger():
            point = place_of(message)
            return point is not None and lies_within(trigger, point)
        case SubscribeMsgTrigger():
            return any(is_result(trigger, *result) for result in results_of(message))
        case FallbackTrigger():
            return isinstance(message, BaseMessage)
    return _matches_event(trigger, message)


def matches_text(trigger: TextTrigger, text: NormalizedText) -> bool:
    """Tell whether a text matches a trigger. Raises BadPattern."""
    return TextMatcher.of(trigger).matches(text) != trigger.negated


def _matches_event(trigger: AnyTrigger, message: Inbound) -> bool:
    event = event_key_of(message)
    if event is None:
        return False
    name, key = event
    for trigger_name, trigger_key, is_prefix in waits_for(trigger):
        if name != trigger_name:
            continue
        if trigger_key is None or key == trigger_key:
            return True
        if is_prefix and key is not None and key.startswith(trigger_key):
            return True
    return False
