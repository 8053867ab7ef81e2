"""Responses of `/api/stats`."""

from datetime import date

from pydantic import Field

from app.api_model import ApiModel
from app.identity.schemas import WeChatId
from app.stats.date_range import DateRangeQuery


class FollowerFigures(ApiModel):
    """Followers, and how their number changed."""

    start: int
    """Followers at the start."""
    new: int
    """People who followed."""
    lost: int
    """People who unfollowed."""
    net: int
    """New minus lost."""
    churn_rate: float | None
    """Lost ÷ start; null if start is 0."""


class FollowerDay(FollowerFigures):
    """The figures of one day in the time zone."""

    day: date
    """The day."""


class SceneFigures(FollowerFigures):
    """Followers of one scene."""

    scene: str | None
    """The scene; null for followers without one, or with an unknown one."""


class FollowersOut(ApiModel):
    """New and lost followers."""

    since: date = Field(serialization_alias="from")
    """The first day."""
    until: date
    """The last day."""
    time_zone: str
    """The time zone of the days."""
    total: FollowerFigures
    """All days together."""
    days: list[FollowerDay]
    """Each day."""
    scenes: list[SceneFigures]
    """By WeChat's subscribe_scene of a person's latest follow, where it is known."""
    qr_scenes: list[SceneFigures]
    """By the value of the parameterised QR code of each follow; a lost follower counts for the QR
    scene of the follow that ended.
    """
    qr_scenes_left_out: int = Field(description="QR scenes that are not listed, with fewer changes")


class SubscriptionsQuery(DateRangeQuery):
    """The days, and which template."""

    template_id: WeChatId | None = Field(default=None, description="one template; default: all")


class SubscriptionFigures(ApiModel):
    """Answers to subscription popups, changes in the settings, and deliveries."""

    accepted: int
    """Popups that were accepted."""
    rejected: int
    """Popups that were rejected."""
    banned: int
    """Popups that WeChat suppressed."""
    withdrawn: int
    """Consents that were withdrawn in the settings."""
    restored: int
    """Consents that were given again in the settings."""
    delivered: int
    """Notifications that arrived."""
    failed: int
    """Notifications that did not arrive."""
    acceptance_rate: float | None
    """Accepted ÷ answers to popups; null if there were no answers."""


class SubscriptionDay(SubscriptionFigures):
    """The figures of one day in the time zone."""

    day: date
    """The day."""


class TemplateFigures(SubscriptionFigures):
    """The figures of one template."""

    template_id: str
    """The template."""


class SubscriptionsOut(ApiModel):
    """Figures of subscription notifications."""

    since: date = Field(serialization_alias="from")
    """The first day."""
    until: date
    """The last day."""
    time_zone: str
    """The time zone of the days."""
    days: list[SubscriptionDay]
    """Each day."""
    templates: list[TemplateFigures]
    """Each template, up to 1,000: those with the most answers and deliveries."""
    templates_left_out: int = Field(description="templates that are not listed, with fewer of them")
