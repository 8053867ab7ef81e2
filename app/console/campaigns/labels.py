"""What doors, states and results of campaigns are called. Pure."""

from datetime import datetime
from typing import Final

from app.campaigns.models import Campaign, CampaignDoorKind
from app.codes.models import ImportState
from app.console.labels import Label, Level
from app.console.messages import N_

DOORS: Final = {
    CampaignDoorKind.RULE: N_("Rule"),
    CampaignDoorKind.QRCODE: N_("Scanned QR code"),
    CampaignDoorKind.MENU_BUTTON: N_("Menu button"),
    CampaignDoorKind.LINK: N_("Link"),
    CampaignDoorKind.NOTICE: N_("Send of notices"),
}
IMPORTS: Final = {
    ImportState.RECEIVING: Label(N_("is being sent"), Level.NEUTRAL),
    ImportState.RUNNING: Label(N_("codes are being added"), Level.ACTIVE),
    ImportState.DONE: Label(N_("all codes are added"), Level.GOOD),
}
PLANNED: Final = Label(N_("has not begun"), Level.NEUTRAL)
RUNNING: Final = Label(N_("runs"), Level.GOOD)
OVER: Final = Label(N_("is over"), Level.NEUTRAL)


def state_of(campaign: Campaign, now: datetime) -> Label:
    """Return the state of a campaign."""
    if now < campaign.starts_at:
        return PLANNED
    return RUNNING if now < campaign.ends_at else OVER
