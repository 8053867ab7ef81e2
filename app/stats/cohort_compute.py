"""Computes the retention of followers from the counts that the store reads. Pure."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from app.funnel.cohorts_sql import AGES
from app.stats.cohort_schemas import Cohort, CohortAge, RetentionOut
from app.stats.cohort_store import CohortBy, CohortCounts
from app.stats.date_range import DateRange


def retention_out(
    cohorts: Sequence[CohortCounts],
    all_cohorts: int,
    date_range: DateRange,
    by: CohortBy,
    now: datetime,
) -> RetentionOut:
    """Return the response. now: an age that the latest follow has not reached has no figures."""
    return RetentionOut(
        since=date_range.since,
        until=date_range.until,
        time_zone=date_range.time_zone,
        by=by,
        cohorts=[_cohort(one, now) for one in cohorts],
        cohorts_left_out=all_cohorts - len(cohorts),
    )


def _cohort(one: CohortCounts, now: datetime) -> Cohort:
    ages = [_age(one, number, days, now) for number, days in enumerate(AGES)]
    return Cohort(cohort=one.label, size=one.size, ages=ages)


def _age(one: CohortCounts, number: int, days: int, now: datetime) -> CohortAge:
    if one.last_at + timedelta(days=days) > now:
        return CohortAge(days=days, following=None, wrote=None, arrived=None, converted=None)
    return CohortAge(
        days=days,
        following=one.following[number],
        wrote=one.wrote[number],
        arrived=one.arrived[number],
        converted=one.converted[number],
    )
