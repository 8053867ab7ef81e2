"""The words of the funnel and of cohorts."""

from typing import Final

from app.console.messages import N_
from app.funnel.steps import DoorKind, Step
from app.stats.cohort_store import CohortBy

STEPS: Final = {
    Step.RECEIVED: N_("Received"),
    Step.MATCHED: N_("Answered by a rule"),
    Step.FOLLOWED: N_("Follows"),
    Step.SENT: N_("Sent"),
    Step.OPENED: N_("Opened"),
    Step.CONVERTED: N_("Converted"),
}
KINDS: Final = {
    DoorKind.ACCOUNT: N_("Account"),
    DoorKind.RULE: N_("Rules"),
    DoorKind.BUTTON: N_("Menu buttons"),
    DoorKind.QRCODE: N_("QR codes"),
    DoorKind.LINK: N_("Links"),
    DoorKind.NOTICE: N_("Notices"),
    DoorKind.CAMPAIGN: N_("Campaigns"),
}
COHORTS: Final = {CohortBy.WEEK: N_("Week of the follow"), CohortBy.QR_SCENE: N_("QR scene")}
