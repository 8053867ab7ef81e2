"""What other systems can hear of: event types, and the patterns that choose among them. Pure."""

from collections.abc import Iterable
from enum import StrEnum


class EventType(StrEnum):
    """What a delivery tells. A ping is made by an operator and tells nothing."""

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
    """Which event types a webhook wants: one, a group, or all."""

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
    """Return the event types that any of the patterns names."""
    wanted = tuple(patterns)
    return frozenset(kind for kind in HISTORY if any(_fits(kind, pattern) for pattern in wanted))


def _fits(kind: EventType, pattern: str) -> bool:
    if pattern.endswith("*"):
        return kind.startswith(pattern.removesuffix("*"))
    return kind == pattern
