"""The figures as `/api/stats` tells them."""

from datetime import date

from pydantic import BaseModel, Field


class FollowerFigures(BaseModel):
    """start: followers before. churn_rate: lost ÷ start; null when there was nobody to lose."""

    start: int
    new: int
    lost: int
    net: int
    churn_rate: float | None


class FollowerDay(FollowerFigures):
    """One day, as the clocks of the time zone show it."""

    day: date


class SceneFigures(FollowerFigures):
    """One way to the account. scene: null for those of whom it is not known, or who had none."""

    scene: str | None


class FollowersOut(BaseModel):
    """Followers won and lost.

    scenes: by WeChat's subscribe_scene of a person's latest follow, as far as it is known.
    qr_scenes: by the value of the parameterised QR code of each follow; a loss counts for the QR
    scene of the follow that it ends.
    """

    since: date = Field(serialization_alias="from")
    until: date
    time_zone: str
    total: FollowerFigures
    days: list[FollowerDay]
    scenes: list[SceneFigures]
    qr_scenes: list[SceneFigures]
    qr_scenes_left_out: int = Field(description="QR scenes with less movement than those shown")


class SubscriptionFigures(BaseModel):
    """accepted, rejected, banned: answers to popups. withdrawn, restored: in the settings.

    delivered, failed: subscription notifications. acceptance_rate: accepted ÷ answers to popups;
    null when there were none.
    """

    accepted: int
    rejected: int
    banned: int
    withdrawn: int
    restored: int
    delivered: int
    failed: int
    acceptance_rate: float | None


class SubscriptionDay(SubscriptionFigures):
    """One day, as the clocks of the time zone show it."""

    day: date


class TemplateFigures(SubscriptionFigures):
    """One template."""

    template_id: str


class SubscriptionsOut(BaseModel):
    """What became of subscription notifications."""

    since: date = Field(serialization_alias="from")
    until: date
    time_zone: str
    days: list[SubscriptionDay]
    templates: list[TemplateFigures]
