"""Computes the figures from the rows that the stores read. Pure."""

from collections.abc import Mapping, Sequence

from app.stats.date_range import DateRange
from app.stats.follower_store import DAY, QR_SCENE, SCENE, Change, PresentCount, iso
from app.stats.notice_store import NoticeDayCounts, ReasonCount
from app.stats.schemas import (
    FollowerDay,
    FollowerFigures,
    FollowersOut,
    NoticeDay,
    NoticeReason,
    NoticeStatsOut,
    SceneFigures,
    SubscriptionDay,
    SubscriptionFigures,
    SubscriptionsOut,
    TemplateFigures,
)
from app.stats.subscription_store import MAX_TEMPLATES, SubscriptionRows
from app.wechat.errcodes import Language, explain

MAX_SCENES = 1000


def follower_figures(
    changes: Sequence[Change], present: Sequence[PresentCount], date_range: DateRange
) -> FollowersOut:
    """Return the figures of every day, and of every scene that has or had followers."""
    by_day = {one.label: one for one in changes if one.kind == DAY}
    now = sum(one.followers for one in present if one.kind is None)
    start = now - sum(one.net for one in by_day.values())
    days: list[FollowerDay] = []
    followers = start
    for day in date_range.days:
        found = by_day.get(iso(day))
        figures = _figures(followers, found.new if found else 0, found.lost if found else 0)
        days.append(FollowerDay(day=day, **figures.model_dump()))
        followers += figures.net
    qr_scenes = _scenes(QR_SCENE, changes, present)
    return FollowersOut(
        since=date_range.since,
        until=date_range.until,
        time_zone=date_range.time_zone,
        total=_figures(start, sum(day.new for day in days), sum(day.lost for day in days)),
        days=days,
        scenes=_scenes(SCENE, changes, present),
        qr_scenes=qr_scenes[:MAX_SCENES],
        qr_scenes_left_out=max(0, len(qr_scenes) - MAX_SCENES),
    )


def subscription_figures(found: SubscriptionRows, date_range: DateRange) -> SubscriptionsOut:
    """Return the figures of every day, and of every template that was read."""
    rows = found.counted
    by_day = {one.day: one.counts for one in rows if one.day is not None}
    return SubscriptionsOut(
        since=date_range.since,
        until=date_range.until,
        time_zone=date_range.time_zone,
        days=[
            SubscriptionDay(day=day, **_subscription_figures(by_day.get(day, {})).model_dump())
            for day in date_range.days
        ],
        templates=[
            TemplateFigures(
                template_id=one.template_id, **_subscription_figures(one.counts).model_dump()
            )
            for one in sorted(rows, key=lambda one: one.template_id or "")
            if one.template_id is not None
        ],
        templates_left_out=max(0, found.all_templates - MAX_TEMPLATES),
    )


def notice_figures(
    days: Sequence[NoticeDayCounts],
    reasons: Sequence[ReasonCount],
    date_range: DateRange,
    language: Language,
) -> NoticeStatsOut:
    """Return the deliveries by day and template, and why notices did not arrive."""
    return NoticeStatsOut(
        since=date_range.since,
        until=date_range.until,
        time_zone=date_range.time_zone,
        days=[
            NoticeDay.model_validate({"day": one.day, "template_id": one.template_id, **one.counts})
            for one in days
        ],
        reasons=[notice_reason(one, language) for one in reasons],
    )


def notice_reason(one: ReasonCount, language: Language) -> NoticeReason:
    """Return a reason with what WeChat's code means."""
    return NoticeReason.model_validate(
        {
            "template_id": one.template_id,
            "status": one.status,
            "errcode": one.errcode,
            "meaning": None if one.errcode is None else explain(one.errcode, language).meaning,
            "reason": one.reason,
            "count": one.count,
        }
    )


def _figures(start: int, new: int, lost: int) -> FollowerFigures:
    return FollowerFigures(
        start=start,
        new=new,
        lost=lost,
        net=new - lost,
        churn_rate=lost / start if start > 0 else None,
    )


def _scenes(
    kind: str, changes: Sequence[Change], present: Sequence[PresentCount]
) -> list[SceneFigures]:
    """Return the figures by scene, the scene with the most changes first."""
    changed = {one.label: one for one in changes if one.kind == kind}
    now = {one.label: one.followers for one in present if one.kind == kind}
    found = []
    for label in {*changed, *now}:
        change = changed.get(label, Change(kind, label, 0, 0, 0))
        start = now.get(label, 0) - change.net
        figures = _figures(start, change.new, change.lost)
        if start or figures.new or figures.lost:
            found.append(SceneFigures(scene=label, **figures.model_dump()))
    return sorted(found, key=lambda one: (-one.new - one.lost, -one.start, one.scene or ""))


def _subscription_figures(counts: Mapping[str, int]) -> SubscriptionFigures:
    names = SubscriptionFigures.model_fields.keys() - {"acceptance_rate"}
    numbers = {name: counts.get(name, 0) for name in names}
    answered = numbers["accepted"] + numbers["rejected"] + numbers["banned"]
    rate = numbers["accepted"] / answered if answered else None
    return SubscriptionFigures(**numbers, acceptance_rate=rate)
