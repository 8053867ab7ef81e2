"""Query and response of `/api/stats/retention`."""

from datetime import date

from pydantic import Field

from app.api_model import ApiModel
from app.stats.cohort_store import CohortBy
from app.stats.date_range import DateRangeQuery


class RetentionQuery(DateRangeQuery):
    """The days of the follows, and what people of a cohort have in common."""

    by: CohortBy = CohortBy.WEEK
    """What people of a cohort have in common."""
    scene: str | None = Field(
        default=None,
        max_length=128,
        pattern=r"^[^\x00]+$",
        description="only people who came by the QR code of this scene",
    )


class CohortAge(ApiModel):
    """What became of a cohort within some days. Numbers are null until the days are over for all.

    Somebody who leaves and follows again counts once for each follow.
    """

    days: int
    """So many days after each person's follow."""
    following: int | None
    """People who had not left by then."""
    wrote: int | None
    """People who had written a message."""
    arrived: int | None
    """People who had entered a mini-program that reports arrivals."""
    converted: int | None
    """People of whom a conversion was reported."""


class Cohort(ApiModel):
    """New followers of one week, or of one QR code."""

    cohort: str
    """The Monday of the week, or the scene of the QR code."""
    size: int
    """New follows: of people who did not follow before."""
    ages: list[CohortAge]
    """After 1, 7, 30 and 90 days."""


class RetentionOut(ApiModel):
    """What became of new followers."""

    since: date = Field(serialization_alias="from")
    """The first day of the follows."""
    until: date
    """The last day of the follows."""
    time_zone: str
    """The time zone of the days."""
    by: CohortBy
    """What people of a cohort have in common."""
    cohorts: list[Cohort]
    """By week the earliest first; by QR code the largest first, up to 100."""
    cohorts_left_out: int
    """How many cohorts are not listed."""
