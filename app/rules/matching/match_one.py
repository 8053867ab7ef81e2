"""One trigger held against one message, without the rest of the rules. Pure."""

from app.rules.definition.triggers import (
    AnyTrigger,
    FallbackTrigger,
    LocationTrigger,
    SubscribeMsgTrigger,
    TextTrigger,
)
from app.rules.matching.account_index import text_of
from app.rules.matching.event_index import occasion_of, waits_for
from app.rules.matching.geo import lies_within, place_of
from app.rules.matching.notification_results import reports, results_of
from app.rules.matching.text_index import Single
from app.rules.text.normalize import NormalizedText
from app.wechat.inbound import BaseMessage, Inbound, Voice


def typed(message: Inbound) -> NormalizedText | None:
    """Return the text of a message; None if it has none."""
    content = text_of(message)
    return None if content is None else NormalizedText(content)


def matches(trigger: AnyTrigger, message: Inbound, text: NormalizedText | None) -> bool:
    """Tell whether the message is what a trigger waits for. Raises BadPattern.

    text: `typed` of the message.
    """
    match trigger:
        case TextTrigger():
            heard = trigger.voice or not isinstance(message, Voice)
            return text is not None and heard and fits_text(trigger, text)
        case LocationTrigger():
            point = place_of(message)
            return point is not None and lies_within(trigger, point)
        case SubscribeMsgTrigger():
            return any(reports(trigger, *result) for result in results_of(message))
        case FallbackTrigger():
            return isinstance(message, BaseMessage)
    return _fits_occasion(trigger, message)


def fits_text(trigger: TextTrigger, text: NormalizedText) -> bool:
    """Tell whether a text is what a trigger waits for. Raises BadPattern."""
    return Single.of(trigger).fits(text) != trigger.negated


def _fits_occasion(trigger: AnyTrigger, message: Inbound) -> bool:
    occasion = occasion_of(message)
    if occasion is None:
        return False
    name, key = occasion
    for wanted_name, wanted, is_prefix in waits_for(trigger):
        if name != wanted_name:
            continue
        if wanted is None or key == wanted:
            return True
        if is_prefix and key is not None and key.startswith(wanted):
            return True
    return False
