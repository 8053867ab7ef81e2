"""What the values of webhooks are called."""

from collections.abc import Mapping
from typing import Final

from app.console.labels import Label, Level
from app.console.messages import N_
from app.webhooks.event_types import EventType, Pattern
from app.webhooks.models import DeliveryStatus, Webhook

PATTERNS: Final[Mapping[Pattern, str]] = {
    Pattern.ALL: N_("all events, also those that later versions add"),
    Pattern.FOLLOW: N_("follows and unfollows"),
    Pattern.SUBSCRIPTION: N_("everything about subscription notifications"),
    Pattern.IDENTITY: N_("everything about UnionIDs"),
    Pattern.FOLLOW_CREATED: N_("somebody follows"),
    Pattern.FOLLOW_DELETED: N_("somebody unfollows"),
    Pattern.SCAN_CREATED: N_("a follower scans a QR code"),
    Pattern.SUBSCRIPTION_POPUP: N_("somebody answers a subscription popup"),
    Pattern.SUBSCRIPTION_CHANGE: N_("somebody changes a subscription in the settings"),
    Pattern.SUBSCRIPTION_SENT: N_("a notification arrived or did not"),
    Pattern.IDENTITY_RESOLVED: N_("a UnionID became known"),
    Pattern.IDENTITY_CHANGED: N_("a UnionID changed"),
    Pattern.IDENTITY_ERASED: N_("somebody is being erased"),
}
TYPES: Final[Mapping[EventType, str]] = {
    **{EventType(pattern): text for pattern, text in PATTERNS.items() if "*" not in pattern},
    EventType.PING: N_("test"),
}
DELIVERIES: Final[Mapping[DeliveryStatus, Label]] = {
    DeliveryStatus.WAITING: Label(N_("Waiting"), Level.ACTIVE),
    DeliveryStatus.DELIVERED: Label(N_("Arrived"), Level.GOOD),
    DeliveryStatus.FAILED: Label(N_("Given up"), Level.FAULT),
    DeliveryStatus.SKIPPED: Label(
        N_("Left out"), help=N_("its event was erased before it was sent")
    ),
    DeliveryStatus.REPLACED: Label(N_("Replaced"), help=N_("a replay sends its event again")),
}
ON: Final = Label(N_("On"), Level.GOOD)
OFF: Final = Label(N_("Off"), help=N_("switched off by an operator"))
DISABLED: Final = Label(
    N_("Disabled"), Level.FAULT, N_("switched off by the service, since the other side refused")
)
FAILING: Final = Label(N_("Failing"), Level.LOOK, N_("deliveries fail and are tried again"))


def state_of(webhook: Webhook) -> Label:
    """Return the state of a webhook."""
    if not webhook.enabled:
        return OFF if webhook.disabled_reason is None else DISABLED
    return ON if webhook.failing_since is None else FAILING


# Why an attempt has no response, as the delivery keeps it.
ERRORS: Final[Mapping[str, str]] = {
    "no answer in time": N_("no answer in time"),
    "the host has an address inside a network (WEBHOOK_ALLOW_PRIVATE)": N_(
        "the host has an address inside a network (WEBHOOK_ALLOW_PRIVATE)"
    ),
    "ConnectError": N_("no connection: is the address right, and does the other side run?"),
    "ConnectTimeout": N_("no connection in time"),
    "ReadError": N_("the connection broke before the answer"),
    "ReadTimeout": N_("no answer in time"),
    "WriteError": N_("the connection broke before the answer"),
    "RemoteProtocolError": N_("what came is not an answer in HTTP"),
}
