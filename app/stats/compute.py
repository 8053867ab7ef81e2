"""From what was read to the figures: pure, no database."""

from collections.abc import Iterable, Mapping, Sequence

from app.stats.date_range import Span
from app.stats.follower_store import DAY, QR_SCENE, SCENE, Moved, Standing, iso
from app.stats.schemas import (
    FollowerDay,
    FollowerFigures,
    FollowersOut,
    SceneFigures,
    SubscriptionDay,
    SubscriptionFigures,
    SubscriptionsOut,
    TemplateFigures,
)
from app.stats.subscription_store import Counted

MAX_SCENES = 1000


def follower_figures(
    moved: Sequence[Moved], standing: Sequence[Standing], span: Span
) -> FollowersOut:
    """Return the figures of every day of the span, and of every scene with any follower."""
    by_day = {one.label: one for one in moved if one.kind == DAY}
    now = sum(one.followers for one in standing if one.kind is None)
    start = now - sum(one.net for one in by_day.values())
    days: list[FollowerDay] = []
    followers = start
    for day in span.days:
        found = by_day.get(iso(day))
        figures = _figures(followers, found.new if found else 0, found.lost if found else 0)
        days.append(FollowerDay(day=day, **figures.model_dump()))
        followers += figures.net
    qr_scenes = _scenes(QR_SCENE, moved, standing)
    return FollowersOut(
        since=span.since,
        until=span.until,
        time_zone=span.time_zone,
        total=_figures(start, sum(day.new for day in days), sum(day.lost for day in days)),
        days=days,
        scenes=_scenes(SCENE, moved, standing),
        qr_scenes=qr_scenes[:MAX_SCENES],
        qr_scenes_left_out=max(0, len(qr_scenes) - MAX_SCENES),
    )


def subscription_figures(counted: Iterable[Counted], span: Span) -> SubscriptionsOut:
    """Return the figures of every day of the span, and of every template."""
    rows = list(counted)
    by_day = {one.day: one.counts for one in rows if one.day is not None}
    return SubscriptionsOut(
        since=span.since,
        until=span.until,
        time_zone=span.time_zone,
        days=[
            SubscriptionDay(day=day, **_answers(by_day.get(day, {})).model_dump())
            for day in span.days
        ],
        templates=[
            TemplateFigures(template_id=one.template_id, **_answers(one.counts).model_dump())
            for one in sorted(rows, key=lambda one: one.template_id or "")
            if one.template_id is not None
        ],
    )


def _figures(start: int, new: int, lost: int) -> FollowerFigures:
    return FollowerFigures(
        start=start,
        new=new,
        lost=lost,
        net=new - lost,
        churn_rate=lost / start if start > 0 else None,
    )


def _scenes(kind: str, moved: Sequence[Moved], standing: Sequence[Standing]) -> list[SceneFigures]:
    """The busiest first."""
    movements = {one.label: one for one in moved if one.kind == kind}
    now = {one.label: one.followers for one in standing if one.kind == kind}
    found = []
    for label in {*movements, *now}:
        movement = movements.get(label, Moved(kind, label, 0, 0, 0))
        start = now.get(label, 0) - movement.net
        figures = _figures(start, movement.new, movement.lost)
        if start or figures.new or figures.lost:
            found.append(SceneFigures(scene=label, **figures.model_dump()))
    return sorted(found, key=lambda one: (-one.new - one.lost, -one.start, one.scene or ""))


def _answers(counts: Mapping[str, int]) -> SubscriptionFigures:
    names = SubscriptionFigures.model_fields.keys() - {"acceptance_rate"}
    numbers = {name: counts.get(name, 0) for name in names}
    asked = numbers["accepted"] + numbers["rejected"] + numbers["banned"]
    rate = numbers["accepted"] / asked if asked else None
    return SubscriptionFigures(**numbers, acceptance_rate=rate)
