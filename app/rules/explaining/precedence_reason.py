"""Says why one of two rules that both match goes before the other. Pure."""

from typing import Final

from app.rules.definition.triggers import LocationTrigger, SubscribeMsgTrigger, TextTrigger
from app.rules.matching.precedence import length, specificity
from app.rules.matching.rule_set import Rule

_EVENTS: Final = ("one key", "the beginning of a key", "any key", "an event by its name")
_RESULTS: Final = ("template and status", "template or status", "any result")


def precedence_reason(rule: Rule, winner: Rule) -> str:
    """Return why `winner` goes before `rule`, in an operator's words."""
    if rule.is_fallback and not winner.is_fallback:
        return f"it is a fallback, and rule {winner.id} answers"
    if winner.priority > rule.priority:
        return f"rule {winner.id} has the higher priority: {winner.priority}, not {rule.priority}"
    if specificity(winner.trigger) < specificity(rule.trigger):
        better, worse = _kind(winner), _kind(rule)
        return f"rule {winner.id} is more specific: {better} goes before {worse}"
    longer, shorter = length(winner.trigger), length(rule.trigger)
    if longer == shorter:
        return f"rule {winner.id} has the lower id"
    if isinstance(winner.trigger, LocationTrigger) and isinstance(rule.trigger, LocationTrigger):
        return f"rule {winner.id} has the smaller circle: {-longer:,} m, not {-shorter:,} m"
    return f"rule {winner.id} has the longer keyword: {longer} characters, not {shorter}"


def _kind(rule: Rule) -> str:
    match rule.trigger:
        case TextTrigger(negated=True, match=match):
            return f"not {match}"
        case TextTrigger(match=match):
            return match
        case SubscribeMsgTrigger():
            return _RESULTS[specificity(rule.trigger)]
    return _EVENTS[specificity(rule.trigger)]
