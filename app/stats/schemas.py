"""Responses of `/api/stats`."""

from datetime import date
from typing import Literal

from pydantic import Field

from app.api_model import ApiModel
from app.identity.schemas import WeChatId
from app.stats.date_range import DateRangeQuery
from app.wechat.errcodes import Language


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


class NoticesQuery(DateRangeQuery):
    """The days, and which template."""

    template_id: WeChatId | None = Field(default=None, description="only this template")
    language: Language = "en"
    """Of `meaning`."""


class NoticeDay(ApiModel):
    """The notices of one template that were queued on one day, by what became of them."""

    day: date
    """The day in the time zone."""
    template_id: str
    """The template."""
    pending: int = 0
    """They wait."""
    sending: int = 0
    """WeChat is being called."""
    sent: int = 0
    """WeChat has taken them, and has not reported their delivery."""
    delivered: int = 0
    """WeChat reports that they arrived."""
    undelivered: int = 0
    """WeChat reports that they did not arrive."""
    failed: int = 0
    """WeChat refused them."""
    skipped: int = 0
    """They were not sent."""
    unknown: int = 0
    """They may have arrived."""


class NoticeReason(ApiModel):
    """Why notices of a template did not arrive."""

    template_id: str
    """The template."""
    status: Literal["failed", "undelivered", "skipped"]
    """What became of them."""
    errcode: int | None
    """WeChat's errcode of a refusal."""
    meaning: str | None
    """What the errcode means."""
    reason: str
    """The words of WeChat's report, or of the service; empty where there is an errcode."""
    count: int
    """How many."""


class NoticeStatsOut(ApiModel):
    """Deliveries of notices."""

    since: date = Field(serialization_alias="from")
    """The first day."""
    until: date
    """The last day."""
    time_zone: str
    """The time zone of the days."""
    days: list[NoticeDay]
    """Each day and template with notices, the earliest first."""
    reasons: list[NoticeReason]
    """The most frequent first, at most 200."""
