"""Event types of webhooks, and the patterns that select them. Pure."""

from collections.abc import Iterable
from enum import StrEnum


class EventType(StrEnum):
    """The type of a delivery. An operator sends a ping as a test; it has no event."""

    FOLLOW_CREATED = "follow.created"
    FOLLOW_DELETED = "follow.deleted"
    SCAN_CREATED = "scan.created"
    SUBSCRIPTION_POPUP = "subscription.popup"
    SUBSCRIPTION_CHANGE = "subscription.change"
    SUBSCRIPTION_SENT = "subscription.sent"
    IDENTITY_RESOLVED = "identity.resolved"
    IDENTITY_CHANGED = "identity.changed"
    IDENTITY_ERASED = "identity.erased"
    PING = "webhook.ping"


class Pattern(StrEnum):
    """Selects event types for a webhook: one, a group, or all."""

    ALL = "*"
    FOLLOW = "follow.*"
    SUBSCRIPTION = "subscription.*"
    IDENTITY = "identity.*"
    FOLLOW_CREATED = "follow.created"
    FOLLOW_DELETED = "follow.deleted"
    SCAN_CREATED = "scan.created"
    SUBSCRIPTION_POPUP = "subscription.popup"
    SUBSCRIPTION_CHANGE = "subscription.change"
    SUBSCRIPTION_SENT = "subscription.sent"
    IDENTITY_RESOLVED = "identity.resolved"
    IDENTITY_CHANGED = "identity.changed"
    IDENTITY_ERASED = "identity.erased"


HISTORY = frozenset(EventType) - {EventType.PING}


def chosen(patterns: Iterable[str]) -> frozenset[EventType]:
    """Return the event types that at least one of the patterns selects."""
    given = tuple(patterns)
    return frozenset(kind for kind in HISTORY if any(_matches(kind, pattern) for pattern in given))


def _matches(kind: EventType, pattern: str) -> bool:
    if pattern.endswith("*"):
        return kind.startswith(pattern.removesuffix("*"))
    return kind == pattern
