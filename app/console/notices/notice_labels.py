"""The names of the states of notices and sends, and of the types of values."""

from collections.abc import Mapping
from typing import Final

from app.console.labels import Label, Level
from app.console.messages import N_
from app.notices.ledger import NO_CONSENT
from app.notices.models import NoticeKind, NoticeStatus, SendState
from app.notices.send import ERASED, STOPPED
from app.notices.store import CUT_OFF

KINDS: Final[Mapping[NoticeKind, str]] = {
    NoticeKind.SUBSCRIPTION: N_("Subscription notification"),
    NoticeKind.TEMPLATE: N_("Template message"),
}
STATUSES: Final[Mapping[NoticeStatus, Label]] = {
    NoticeStatus.PENDING: Label(N_("Waiting to be sent")),
    NoticeStatus.SENDING: Label(N_("Being sent"), Level.ACTIVE),
    NoticeStatus.SENT: Label(N_("Taken by WeChat"), Level.GOOD, N_("its delivery is not reported")),
    NoticeStatus.DELIVERED: Label(N_("Delivered"), Level.GOOD),
    NoticeStatus.UNDELIVERED: Label(N_("Did not arrive"), Level.FAULT),
    NoticeStatus.FAILED: Label(N_("Refused by WeChat"), Level.FAULT),
    NoticeStatus.SKIPPED: Label(N_("Not sent"), help=N_("mostly since no consent is left")),
    NoticeStatus.UNKNOWN: Label(
        N_("Uncertain"), Level.LOOK, N_("WeChat may have sent it: the answer did not arrive")
    ),
}
STATES: Final[Mapping[SendState, Label]] = {
    SendState.RUNNING: Label(N_("Running"), Level.ACTIVE),
    SendState.PAUSED: Label(N_("Paused"), Level.LOOK),
    SendState.STOPPED: Label(N_("Stopped")),
    SendState.DONE: Label(N_("Done"), Level.GOOD),
}
# What the service stores as the reason why a notice was not sent.
REASONS: Final[Mapping[str, str]] = {
    NO_CONSENT: N_("The person has no consent left for this template."),
    STOPPED: N_("The send was stopped."),
    ERASED: N_("What it said is erased."),
    CUT_OFF: N_("The worker that was sending it recorded no result."),
}
# Words of the API's own checks are English alone.
VALUE_RULES: Final[Mapping[str, str]] = {
    "thing": N_("One line; after 20 characters it is cut."),
    "number": N_("At most 32 digits, with a decimal point if needed."),
    "letter": N_("At most 32 letters from A to Z."),
    "symbol": N_("At most 5 symbols, without letters and digits."),
    "character_string": N_("At most 32 letters, digits and symbols, no Chinese characters."),
    "time": N_("Such as 18:00, perhaps with a date before it; ~ joins a range."),
    "date": N_("Such as 2026-11-28, perhaps with a time; ~ joins a range."),
    "amount": N_("At most one currency sign and 10 digits, perhaps with two decimals and 元."),
    "phone_number": N_("At most 17 digits and symbols such as + and -."),
    "car_number": N_("At most 8 characters."),
    "name": N_("At most 10 characters with Chinese, or 20 without."),
    "phrase": N_("At most 5 Chinese characters."),
    "short_thing": N_("At most 5 characters."),
    "const": N_("At most 20 characters."),
    "enum_string": N_("At most 20 characters."),
}
OTHER_VALUE: Final = N_("One line, at most 200 characters.")


def rule_of(kind: str) -> str:
    """Return what a type of value takes."""
    return VALUE_RULES.get(kind, OTHER_VALUE)
