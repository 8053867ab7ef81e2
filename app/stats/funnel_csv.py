"""The figures of the funnel as rows of a file. Pure."""

from collections.abc import Iterator, Sequence
from enum import StrEnum

from app.funnel.steps import STEPS, Step
from app.stats.funnel_schemas import FunnelOut, FunnelQuery, FunnelStep


class FileRows(StrEnum):
    """What the rows of a file are."""

    DAYS = "days"
    DOORS = "doors"


class FunnelFileQuery(FunnelQuery):
    """The figures, and what the rows are."""

    rows: FileRows = FileRows.DAYS
    """One row for each day, or for each door."""


def table(found: FunnelOut, kind: FileRows) -> tuple[list[str], list[tuple[object, ...]]]:
    """Return the header and the rows: each step in times and in people."""
    numbers = [f"{step}_{unit}" for step in _steps(found) for unit in ("times", "people")]
    if kind is FileRows.DAYS:
        days = [(day.day.isoformat(), *_numbers(day.steps)) for day in found.days]
        return ["day", *numbers], list(days)
    doors = [(door.door, door.name or "", *_numbers(door.steps)) for door in found.doors]
    return [found.by.value, "name", *numbers], list(doors)


def _steps(found: FunnelOut) -> Sequence[Step]:
    return STEPS[found.by]


def _numbers(steps: Sequence[FunnelStep]) -> Iterator[int]:
    for step in steps:
        yield step.times
        yield step.people
