"""Queries and responses of `/api/stats/funnel`."""

from datetime import date, datetime
from typing import Self
from uuid import UUID

from pydantic import Field, model_validator

from app.api_model import ApiModel
from app.funnel.steps import MAX_WINDOW_DAYS, DoorKind, Step
from app.stats.date_range import DateRangeQuery


class FunnelQuery(DateRangeQuery):
    """The days, the doors, and how long after the send a later step counts."""

    by: DoorKind = DoorKind.ACCOUNT
    """By what touches are told apart."""
    door: str | None = Field(
        default=None,
        max_length=128,
        pattern=r"^[^\x00]+$",
        description=(
            "one door of the kind: the id of a rule, QR code, link, send of notices or campaign, "
            "or `version:position` of a menu button; default: all together. Not with `by=account`"
        ),
    )
    campaign: UUID | None = None
    """Only what belongs to this campaign: came by one of its doors, within its span. By which door
    it came, of any kind, `by` tells apart.
    """
    opened_days: int | None = Field(
        default=None,
        ge=1,
        le=MAX_WINDOW_DAYS,
        description="a launch counts up to so many days after the send; default: "
        "FUNNEL_OPENED_DAYS",
    )
    converted_days: int | None = Field(
        default=None,
        ge=1,
        le=MAX_WINDOW_DAYS,
        description="a conversion counts up to so many days after the send; default: "
        "FUNNEL_CONVERTED_DAYS",
    )

    @model_validator(mode="after")
    def _names_a_door_of_the_kind(self) -> Self:
        # The figures of the whole account would pass for those of the door.
        if self.door is not None and self.by is DoorKind.ACCOUNT:
            raise ValueError(
                "door can't be given when by is account: choose the kind of the door in by"
            )
        return self

    @model_validator(mode="after")
    def _is_within_a_campaign(self) -> Self:
        if self.campaign is not None and self.by is DoorKind.CAMPAIGN:
            raise ValueError(
                "campaign can't be given when by is campaign: name the campaign in door, or choose "
                "another by"
            )
        return self


class FunnelStep(ApiModel):
    """How often a step was reached. Rates are parts of 1; null if there is nothing to compare."""

    step: Step
    """The step."""
    times: int
    """Pushes, notices or launches that reached it."""
    people: int
    """People by whom, each once in the range, at each account; unknown people are left out."""
    times_of_previous: float | None
    """Times ÷ times of the step before it. Steps after `followed` compare with the one before. Of
    a campaign it may be above 1: notices begin with `sent`, and links with `opened`.
    """
    times_of_first: float | None
    """Times ÷ times of the first step."""
    people_of_previous: float | None
    """The same for people."""
    people_of_first: float | None
    """The same for people."""


class FunnelEstimated(ApiModel):
    """How many times of a step are known without a ref: by the scene, or by the last launch."""

    opened: int
    """Times opened."""
    converted: int
    """Times converted."""


class FunnelDayOut(ApiModel):
    """The touches that happened on one day, and how far they led since then."""

    day: date
    """The day in the time zone."""
    steps: list[FunnelStep]
    """Each step of the kind."""


class FunnelDoor(ApiModel):
    """The touches of one door."""

    door: str
    """The id of the rule, QR code, link, send or campaign; `version:position` of a menu button."""
    name: str | None
    """The name of the rule, QR code, link or campaign; null if it has none, or is deleted."""
    steps: list[FunnelStep]
    """Each step of the kind."""


class FunnelBefore(ApiModel):
    """As many days right before."""

    since: date = Field(serialization_alias="from")
    """The first day."""
    until: date
    """The last day."""
    steps: list[FunnelStep]
    """Each step of the kind."""


class FunnelOut(ApiModel):
    """From what was received, or sent, to conversions, by the day on which it began."""

    since: date = Field(serialization_alias="from")
    """The first day."""
    until: date
    """The last day."""
    time_zone: str
    """The time zone of the days."""
    by: DoorKind
    """By what touches are told apart."""
    door: str | None
    """The one door; null: all together."""
    campaign: UUID | None
    """The campaign to which all of it belongs; null: any or none."""
    opened_days: int
    """A launch counts up to so many days after the send."""
    converted_days: int
    """A conversion counts up to so many days after the send, if it was opened in time."""
    counted_until: datetime | None
    """Pushes that arrived before are counted; null: none are yet."""
    steps: list[FunnelStep]
    """All days together."""
    estimated: FunnelEstimated
    """What of it is known less surely."""
    before: FunnelBefore
    """The span before."""
    days: list[FunnelDayOut]
    """Each day."""
    doors: list[FunnelDoor]
    """The doors with the most, up to 100; empty for an account and for one door."""
    doors_left_out: int
    """How many doors are not listed."""
