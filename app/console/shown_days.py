"""The days that a page of figures shows, by the clock of the service and the zone of the pages."""

from datetime import date

from fastapi import Request

from app.clock import Clock
from app.console.date_range_form import BadRange, RangeQuery, default_range
from app.console.render import zone_of
from app.settings import Settings
from app.stats.date_range import DateRange


def date_range_of(request: Request, query: RangeQuery) -> DateRange:
    """Return the days that an address names. Raises BadRange."""
    return query.date_range(_today(request), _settings(request).console_time_zone)


def shown_days(request: Request, query: RangeQuery) -> tuple[DateRange, str | None]:
    """Return the days of an address, or the usual ones and what is wrong with it."""
    try:
        return date_range_of(request, query), None
    except BadRange as error:
        usual = default_range(_today(request), _settings(request).console_time_zone)
        return usual, str(error)


def _today(request: Request) -> date:
    clock: Clock = request.app.state.clock
    return clock.now().astimezone(zone_of(request)).date()


def _settings(request: Request) -> Settings:
    settings: Settings = request.app.state.settings
    return settings
