"""The links into mini-programs that WeChat has made, and its limits. Source: protocol 9.4."""

import secrets
from collections import defaultdict, deque
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, timezone

from simulator.errors import ApiError

SHANGHAI = timezone(timedelta(hours=8))
A_DAY = 500_000
A_SECOND = 100
PERMANENT = 100_000


@dataclass(frozen=True, slots=True)
class MadeLink:
    """One link that was made. expires_at: None for a permanent one."""

    appid: str
    link: str
    target: dict[str, object]
    expires_at: datetime | None


@dataclass(slots=True)
class LinkStore:
    """Every link that was made. a_day, a_second: how many of schemes and URL Links together."""

    a_day: int = A_DAY
    a_second: int = A_SECOND
    made: list[MadeLink] = field(default_factory=list)
    days: defaultdict[tuple[str, date], int] = field(default_factory=lambda: defaultdict(int))
    recent: defaultdict[str, deque[datetime]] = field(default_factory=lambda: defaultdict(deque))

    def count(self, appid: str, now: datetime) -> None:
        """Count one call. Raises ApiError 44990 above 100 a second, 44993 above 500,000 a day."""
        recent = self.recent[appid]
        while recent and now - recent[0] >= timedelta(seconds=1):
            recent.popleft()
        if len(recent) >= self.a_second:
            raise ApiError(44990)
        day = appid, now.astimezone(SHANGHAI).date()
        if self.days[day] >= self.a_day:
            raise ApiError(44993)
        recent.append(now)
        self.days[day] += 1

    def add(
        self, appid: str, start: str, target: dict[str, object], expires_at: datetime | None
    ) -> str:
        """Return a new link. start: what it begins with."""
        link = start + secrets.token_urlsafe(8)
        self.made.append(MadeLink(appid, link, target, expires_at))
        return link

    def permanent_of(self, appid: str) -> int:
        """Return how many permanent links a mini-program has."""
        return sum(made.appid == appid and made.expires_at is None for made in self.made)
