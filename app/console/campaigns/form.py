"""The form of a campaign, for a new one and for one that is changed."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, tzinfo
from typing import Any, Final, Self

from pydantic import BaseModel, Field, ValidationError

from app.campaigns.models import Campaign, CampaignDoorKind
from app.campaigns.schemas import MAX_DOORS, CampaignIn, DoorIn
from app.console.messages import N_

MAX_TYPED: Final = 2000
MAX_DOORS_TYPED: Final = MAX_DOORS * 100
MOMENT: Final = "%Y-%m-%dT%H:%M"
DOORS_HELP: Final = N_(
    "One on each line: rule, qrcode, link, notice or menu_button, a blank, and its id. The id of a "
    "menu button is the AppID, a slash and its place, such as wx0123456789abcdef/2-1."
)
# Words of the API's own checks are English alone, so each field has one sentence of its own here.
PROBLEMS: Final = {
    "name": N_("A name has 1 to 100 characters."),
    "starts_at": N_("Choose a day and a time."),
    "ends_at": N_("Choose a day and a time after the start."),
    "doors": DOORS_HELP,
    "target": N_("Write the AppID of the mini-program, and its page without a slash in front."),
    "cost": N_("Write an amount such as 5000.00, and a currency such as CNY."),
    "warn_below": N_("Write a number from 0 to 100000."),
}
DOOR_UNKNOWN: Final = N_("One of these does not exist: correct its id, or leave it out.")
TARGET_UNKNOWN: Final = N_(
    "This mini-program is not configured: correct the AppID, or add it to ACCOUNTS_FILE or "
    "MINI_PROGRAM_APPIDS."
)
DOOR_TAKEN: Final = N_("One of these leads to another campaign at the same time.")
_DOOR: Final = re.compile(r"(\S+)\s+(\S+)")


class CampaignForm(BaseModel):
    """A campaign as typed. The times are in the zone of the pages."""

    name: str = Field(default="", max_length=MAX_TYPED)
    starts_at: str = Field(default="", max_length=MAX_TYPED)
    ends_at: str = Field(default="", max_length=MAX_TYPED)
    doors: str = Field(default="", max_length=MAX_DOORS_TYPED)
    target_appid: str = Field(default="", max_length=MAX_TYPED)
    target_pagepath: str = Field(default="", max_length=MAX_TYPED)
    cost: str = Field(default="", max_length=MAX_TYPED)
    currency: str = Field(default="CNY", max_length=MAX_TYPED)
    warn_below: str = Field(default="100", max_length=MAX_TYPED)

    @classmethod
    def of(cls, campaign: Campaign, doors: Sequence[DoorIn], zone: tzinfo) -> Self:
        """Return the form of a stored campaign."""
        return cls(
            name=campaign.name,
            starts_at=campaign.starts_at.astimezone(zone).strftime(MOMENT),
            ends_at=campaign.ends_at.astimezone(zone).strftime(MOMENT),
            doors="\n".join(f"{door.kind} {door.id}" for door in doors),
            target_appid=campaign.target_appid or "",
            target_pagepath=campaign.target_pagepath or "",
            cost="" if campaign.cost is None else str(campaign.cost),
            currency=campaign.currency or "CNY",
            warn_below=str(campaign.warn_below),
        )

    def read(self, zone: tzinfo) -> tuple[CampaignIn | None, Mapping[str, str]]:
        """Return the campaign, or None and what is wrong by field, to be translated."""
        try:
            return CampaignIn.model_validate(self._document(zone)), {}
        except ValidationError as error:
            wrong = {
                str(problem["loc"][0]) if problem["loc"] else "ends_at"
                for problem in error.errors(include_input=False)
            }
        return None, {name: PROBLEMS[name] for name in wrong}

    def _document(self, zone: tzinfo) -> dict[str, Any]:
        appid, cost = self.target_appid.strip(), self.cost.strip()
        has_target = appid or self.target_pagepath.strip()
        return {
            "name": self.name.strip(),
            "starts_at": _moment(self.starts_at, zone),
            "ends_at": _moment(self.ends_at, zone),
            "doors": _doors(self.doors),
            "target": {"appid": appid, "pagepath": self.target_pagepath.strip()}
            if has_target
            else None,
            "cost": {"amount": cost, "currency": self.currency.strip()} if cost else None,
            "warn_below": _number(self.warn_below),
        }


def _moment(text: str, zone: tzinfo) -> datetime | None:
    try:
        return datetime.strptime(text.strip()[:16], MOMENT).replace(tzinfo=zone)
    except ValueError:
        return None


def _number(text: str) -> int | None:
    text = text.strip()
    return int(text) if re.fullmatch(r"[0-9]{1,9}", text) else None


def _doors(text: str) -> list[dict[str, str]] | None:
    """Return the doors of lines, each once; None if a line can't be read."""
    found: dict[tuple[str, str], None] = {}
    for line in filter(None, map(str.strip, text.splitlines())):
        door = _DOOR.fullmatch(line)
        if door is None or door[1] not in set(CampaignDoorKind):
            return None
        found[door[1], door[2]] = None
    return [{"kind": kind, "id": door_id} for kind, door_id in found]
