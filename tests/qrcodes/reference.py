"""What people did by codes, counted slowly: one event after the other, as each arrives."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")
DAY, WEEK = timedelta(days=1), timedelta(days=7)

# scene, day, figure
Key = tuple[str, date, str]


@dataclass
class Event:
    """One event in the order of arrival. scene: None once it is erased."""

    person: int
    action: str
    scene: str | None
    at: datetime


@dataclass
class Reference:
    """Counts what arrives. created: when each code was added, by scene."""

    created: Mapping[str, datetime]
    events: list[Event] = field(default_factory=list)
    figures: Counter[Key] = field(default_factory=Counter)

    def arrive(self, event: Event) -> None:
        """Count an event by what has arrived before."""
        others = [
            (one.at, number, one)
            for number, one in enumerate(self.events)
            if one.person == event.person and one.action != "scan"
        ]
        self.events.append(event)
        earlier = [one for one in others if one[0] <= event.at]
        later = [one for one in others if one[0] > event.at]
        before = max(earlier, key=lambda one: one[:2])[2] if earlier else None
        after = min(later, key=lambda one: one[:2])[2] if later else None
        if event.action != "unfollow":
            self._add(event.scene, event.at, "scans")
        if event.action == "follow":
            if before is None:
                self._add(event.scene, event.at, "new_follows")
            elif before.action == "unfollow":
                self._add(event.scene, event.at, "refollows")
            if after is not None and after.action == "unfollow":
                self._left(event, after)
        if event.action == "unfollow" and before is not None and before.action == "follow":
            self._left(before, event)

    def erase(self, person: int, until: datetime) -> None:
        """Clear the scenes of a person."""
        for event in self.events:
            if event.person == person and event.at <= until:
                event.scene = None

    def card(self, number: int, at: datetime) -> None:
        """Count a card that was sent in answer to an event."""
        self._add(self.events[number].scene, at, "cards")

    def _left(self, follow: Event, unfollow: Event) -> None:
        stayed = unfollow.at - follow.at
        if stayed <= DAY:
            self._add(follow.scene, follow.at, "left_in_day")
        if stayed <= WEEK:
            self._add(follow.scene, follow.at, "left_in_week")

    def _add(self, scene: str | None, at: datetime, figure: str) -> None:
        if scene is not None and scene in self.created and at >= self.created[scene]:
            self.figures[scene, at.astimezone(SHANGHAI).date(), figure] += 1
