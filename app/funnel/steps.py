"""The steps of the funnel, and how far after the send a later step counts. Pure."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from app.settings import Settings

# A report comes up to this late after the send; no window is longer.
MAX_WINDOW_DAYS: Final = 90


class Step(StrEnum):
    """How far a touch led, the first step first. followed stands beside the others.

    received: a person wrote, followed, scanned or tapped. matched: a rule answered. sent: a reply,
    or the notice, was sent. opened: a mini-program was entered by it. converted: what counts as
    success was reported.
    """

    RECEIVED = "received"
    MATCHED = "matched"
    FOLLOWED = "followed"
    SENT = "sent"
    OPENED = "opened"
    CONVERTED = "converted"


class DoorKind(StrEnum):
    """By what touches are told apart. A campaign has what came by its doors in its span."""

    ACCOUNT = "account"
    RULE = "rule"
    BUTTON = "button"
    QRCODE = "qrcode"
    LINK = "link"
    NOTICE = "notice"
    CAMPAIGN = "campaign"


STEPS: Final = {
    DoorKind.ACCOUNT: (Step.RECEIVED, Step.MATCHED, Step.SENT, Step.OPENED, Step.CONVERTED),
    DoorKind.RULE: (Step.MATCHED, Step.SENT, Step.OPENED, Step.CONVERTED),
    DoorKind.BUTTON: (Step.RECEIVED, Step.MATCHED, Step.SENT, Step.OPENED, Step.CONVERTED),
    DoorKind.QRCODE: (
        Step.RECEIVED,
        Step.FOLLOWED,
        Step.MATCHED,
        Step.SENT,
        Step.OPENED,
        Step.CONVERTED,
    ),
    DoorKind.LINK: (Step.OPENED, Step.CONVERTED),
    DoorKind.NOTICE: (Step.SENT, Step.OPENED, Step.CONVERTED),
    DoorKind.CAMPAIGN: (
        Step.RECEIVED,
        Step.FOLLOWED,
        Step.MATCHED,
        Step.SENT,
        Step.OPENED,
        Step.CONVERTED,
    ),
}


def total_door(kind: DoorKind, door: str, campaign: str = "") -> str:
    """Return the name in `funnel_touches` of a door; empty `door`: of all of the kind together.

    A rule answers what the account received. campaign: the id of the one within which the door is
    looked at; empty: none.
    """
    if kind is DoorKind.ACCOUNT or (kind is DoorKind.RULE and not door):
        return f"{DoorKind.CAMPAIGN.value}:{campaign}" if campaign else ""
    return f"{kind_prefix(kind, campaign)}{door}"


def kind_prefix(kind: DoorKind, campaign: str = "") -> str:
    """Return how the names of all doors of a kind begin in `funnel_touches`; the id follows."""
    return f"within:{campaign}/{kind.value}:" if campaign else f"{kind.value}:"


@dataclass(frozen=True, slots=True)
class Basis:
    """What the sums are made by: the zone of the days, and the windows in days after the send."""

    time_zone: str
    opened_days: int
    converted_days: int

    @property
    def parameters(self) -> dict[str, object]:
        """Return it as parameters of an SQL statement."""
        return {
            "zone": self.time_zone,
            "opened_seconds": self.opened_days * 86_400,
            "converted_seconds": self.converted_days * 86_400,
        }


def basis_of(settings: Settings) -> Basis:
    """Return what the sums are to be made by."""
    return Basis(
        settings.console_time_zone, settings.funnel_opened_days, settings.funnel_converted_days
    )
