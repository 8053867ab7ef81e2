"""Computes the funnel from the counts that the store reads. Pure."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final
from uuid import UUID

from app.funnel.derive_sql import COUNTED
from app.funnel.steps import STEPS, DoorKind, Step
from app.stats.date_range import DateRange
from app.stats.funnel_schemas import (
    FunnelBefore,
    FunnelDayOut,
    FunnelDoor,
    FunnelEstimated,
    FunnelOut,
    FunnelStep,
)
from app.stats.funnel_store import Counts, FunnelFigures, FunnelWanted

NOTHING: Final = Counts(
    dict.fromkeys((*COUNTED, "opened_estimated", "converted_estimated"), 0),
    dict.fromkeys(COUNTED, 0),
)


def funnel_out(
    wanted: FunnelWanted,
    now: FunnelFigures,
    earlier: Counts,
    days_before: DateRange,
    names: Mapping[str, str],
    counted_until: datetime | None,
) -> FunnelOut:
    """Return the response. names: of doors by their ids."""
    days = wanted.date_range
    kind = wanted.kind
    doors = [(door.removeprefix(wanted.prefix), counts) for door, counts in now.doors.items()]
    return FunnelOut(
        since=days.since,
        until=days.until,
        time_zone=days.time_zone,
        by=kind,
        door=wanted.door or None,
        campaign=UUID(wanted.campaign) if wanted.campaign else None,
        opened_days=wanted.basis.opened_days,
        converted_days=wanted.basis.converted_days,
        counted_until=counted_until,
        steps=funnel_steps(kind, now.total),
        estimated=FunnelEstimated(
            opened=now.total.times["opened_estimated"],
            converted=now.total.times["converted_estimated"],
        ),
        before=FunnelBefore(
            since=days_before.since, until=days_before.until, steps=funnel_steps(kind, earlier)
        ),
        days=[
            FunnelDayOut(day=day, steps=funnel_steps(kind, now.days.get(day, NOTHING)))
            for day in days.days
        ],
        doors=[
            FunnelDoor(door=door, name=names.get(door), steps=funnel_steps(kind, counts))
            for door, counts in doors
        ],
        doors_left_out=now.all_doors - len(doors),
    )


def funnel_steps(kind: DoorKind, counts: Counts) -> list[FunnelStep]:
    """Return the steps of a kind with their rates."""
    steps = STEPS[kind]
    found = []
    previous = first = steps[0]
    for step in steps:
        found.append(
            FunnelStep(
                step=step,
                times=counts.times[step],
                people=counts.people[step],
                times_of_previous=_rate(counts.times, step, previous),
                times_of_first=_rate(counts.times, step, first),
                people_of_previous=_rate(counts.people, step, previous),
                people_of_first=_rate(counts.people, step, first),
            )
        )
        # Who follows stands beside: rules answer scans of followers too.
        if step is not Step.FOLLOWED:
            previous = step
    return found


def _rate(numbers: Mapping[str, int], step: Step, other: Step) -> float | None:
    return numbers[step] / numbers[other] if numbers[other] else None
