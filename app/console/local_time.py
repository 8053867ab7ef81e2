"""Times as a page shows them: in one zone, which is named. Pure."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from babel.dates import format_date


class LocalTime:
    """Formats times for one language and one zone (an IANA name)."""

    def __init__(self, language: str, zone: str) -> None:
        self._language = language
        self._zone = ZoneInfo(zone)
        self.zone_name = zone

    def format(self, at: datetime) -> str:
        """Return a time to the second, `2026-11-28 09:31:29`."""
        return at.astimezone(self._zone).strftime("%Y-%m-%d %H:%M:%S")

    def iso(self, at: datetime) -> str:
        """Return a time for the attribute `datetime`."""
        return at.astimezone(self._zone).isoformat(timespec="seconds")

    def format_day(self, day: date) -> str:
        """Return a day in the words of the language."""
        return format_date(day, "medium", locale=self._language)
