"""Errors of campaigns.

CampaignError
 ├ NoSuchCampaign   it does not exist, or is deleted
 ├ StaleRevision    somebody else has changed it
 ├ UnknownDoor      a door that does not exist
 ├ UnknownTarget    a mini-program that is not configured
 ├ OtherDoor        a door that is none of the campaign's
 ├ DoorTaken        another campaign has the door at the same time
 ├ TooManyDoors     it has as many doors as it may have
 ├ NotRunning       nobody gets an invitation now
 ├ UnknownInviter   nothing is known of the person
 ├ LongOver         its codes name nobody any more, so that it can't go on
 └ TooManyCampaigns there are as many as there may be
"""

from uuid import UUID


class CampaignError(Exception):
    """Base class of all errors of this package."""


class NoSuchCampaign(CampaignError):
    """The campaign does not exist, or is deleted."""


class StaleRevision(CampaignError):
    """Somebody else has changed the campaign. revision: the present one."""

    def __init__(self, revision: int) -> None:
        super().__init__(f"the campaign is at revision {revision}")
        self.revision = revision


class UnknownDoor(CampaignError):
    """A door does not exist. number: its place in the list, from 0."""

    def __init__(self, number: int, kind: str, door_id: str) -> None:
        super().__init__(f"there is no {kind} {door_id}: correct its id, or leave it out")
        self.number = number


class UnknownTarget(CampaignError):
    """The mini-program that the campaign is about is not configured."""

    def __init__(self) -> None:
        super().__init__(
            "is not a mini-program that is configured here: correct it, or add it to "
            "ACCOUNTS_FILE or MINI_PROGRAM_APPIDS"
        )


class OtherDoor(CampaignError):
    """A door is none of the campaign's."""

    def __init__(self, kind: str, door_id: str) -> None:
        super().__init__(
            f"the {kind} {door_id} is no door of the campaign: correct its id, add it to the "
            "campaign, or leave door out"
        )


class DoorTaken(CampaignError):
    """Another campaign has the door at the same time."""

    def __init__(self, kind: str, door_id: str, campaign_id: UUID) -> None:
        super().__init__(
            f"the {kind} {door_id} leads to campaign {campaign_id} at the same time: take it out "
            "there, or choose another span"
        )


class TooManyDoors(CampaignError):
    """The campaign has as many doors as it may have."""

    def __init__(self, most: int) -> None:
        super().__init__(f"the campaign has {most} doors: take one out first")


class NotRunning(CampaignError):
    """The campaign does not run."""

    def __init__(self) -> None:
        super().__init__("the campaign does not run now: nobody gets an invitation")


class UnknownInviter(CampaignError):
    """Nothing is known of the person who would invite."""

    def __init__(self) -> None:
        super().__init__(
            "nothing is known of this OpenID: the person has to write to the account, or follow it"
        )


class LongOver(CampaignError):
    """The codes of the campaign name nobody any more: people would get a second one."""

    def __init__(self) -> None:
        super().__init__(
            "the campaign is long over, and who has its codes is forgotten, so that it can't "
            "go on: add another campaign"
        )


class TooManyCampaigns(CampaignError):
    """There are as many campaigns as there may be."""

    def __init__(self, most: int) -> None:
        super().__init__(f"there are {most} campaigns: delete one first")
