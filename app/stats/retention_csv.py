"""The retention of followers as rows of a file. Pure."""

from collections.abc import Iterator
from typing import Final

from app.stats.cohort_schemas import RetentionOut

HEADER: Final = ("cohort", "size", "days", "following", "wrote", "arrived", "converted")


def rows(found: RetentionOut) -> Iterator[tuple[object, ...]]:
    """Return one row for each cohort and age; a figure that is not known yet is empty."""
    for one in found.cohorts:
        for age in one.ages:
            numbers = (age.following, age.wrote, age.arrived, age.converted)
            shown = ("" if number is None else number for number in numbers)
            yield (one.cohort, one.size, age.days, *shown)
