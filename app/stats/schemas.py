"""Responses of `/api/stats`."""

from datetime import date

from pydantic import BaseModel, Field


class FollowerFigures(BaseModel):
    """start: followers at the start. churn_rate: lost ÷ start; null if start is 0."""

    start: int
    new: int
    lost: int
    net: int
    churn_rate: float | None


class FollowerDay(FollowerFigures):
    """The figures of one day in the time zone."""

    day: date


class SceneFigures(FollowerFigures):
    """Followers of one scene. scene: null for followers without one, or with an unknown one."""

    scene: str | None


class FollowersOut(BaseModel):
    """New and lost followers.

    scenes: by WeChat's subscribe_scene of a person's latest follow, where it is known.
    qr_scenes: by the value of the parameterised QR code of each follow; a lost follower counts for
    the QR scene of the follow that ended.
    """

    since: date = Field(serialization_alias="from")
    until: date
    time_zone: str
    total: FollowerFigures
    days: list[FollowerDay]
    scenes: list[SceneFigures]
    qr_scenes: list[SceneFigures]
    qr_scenes_left_out: int = Field(description="QR scenes that are not listed, with fewer changes")


class SubscriptionFigures(BaseModel):
    """accepted, rejected, banned: answers to popups. withdrawn, restored: changes in the settings.

    delivered, failed: subscription notifications. acceptance_rate: accepted ÷ answers to popups;
    null if there were no answers.
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
    """The figures of one day in the time zone."""

    day: date


class TemplateFigures(SubscriptionFigures):
    """The figures of one template."""

    template_id: str


class SubscriptionsOut(BaseModel):
    """Figures of subscription notifications."""

    since: date = Field(serialization_alias="from")
    until: date
    time_zone: str
    days: list[SubscriptionDay]
    templates: list[TemplateFigures]
