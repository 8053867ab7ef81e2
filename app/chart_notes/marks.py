"""A mark on the time line of a chart, and the days for which marks are read. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from app.stats.date_range import DateRange

# Of one kind; a chart with more of them could not be read.
MAX_OF_A_KIND: Final = 200


class MarkKind(StrEnum):
    """What a mark stands for."""

    RULES = "rules"
    MENU = "menu"
    CAMPAIGN = "campaign"
    SILENCE = "silence"
    CALLS_WAIT = "calls_wait"
    DOCTOR = "doctor"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that happened on a day. at: None if it is about the whole day.

    until: when it ended. appid: None for all accounts, or for none. count: of rules that were
    changed, or the number of a menu's version. text: of a note; the name of the campaign; the API
    whose calls wait; the check of the doctor.
    """

    kind: MarkKind
    day: date
    at: datetime | None = None
    until: datetime | None = None
    appid: str | None = None
    count: int | None = None
    text: str | None = None
    note_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Span:
    """The days and accounts of a chart."""

    appids: Sequence[str]
    days: DateRange

    @property
    def start(self) -> datetime:
        """When the first day begins."""
        return datetime.combine(self.days.since, time(), ZoneInfo(self.days.time_zone))

    @property
    def end(self) -> datetime:
        """When the last day ends."""
        after = self.days.until + timedelta(days=1)
        return datetime.combine(after, time(), ZoneInfo(self.days.time_zone))

    def day_of(self, at: datetime) -> date:
        """Return the day of a moment."""
        return at.astimezone(ZoneInfo(self.days.time_zone)).date()

    def has(self, at: datetime) -> bool:
        """Return whether a moment is on one of the days."""
        return self.start <= at < self.end
