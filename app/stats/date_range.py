"""The days of the figures: query parameters, defaults and checks."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from pydantic import ConfigDict, Field
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.api_errors import InvalidRequest, Problem
from app.api_model import ApiModel
from app.identity.schemas import WeChatId

MAX_DAYS = 366
DEFAULT_DAYS = 30
FIRST_DAY = date(2011, 1, 1)  # WeChat's first year
LAST_DAY = date(9000, 1, 1)
# Of the days by which notices, answers to popups and codes are counted: `oa_bridge_day`.
COUNTED_OFFSET: Final = timedelta(hours=8)


class DateRangeQuery(ApiModel):
    """The first and the last day, both included, in a time zone."""

    model_config = ConfigDict(extra="forbid")

    since: date | None = Field(
        default=None,
        alias="from",
        ge=FIRST_DAY,
        le=LAST_DAY,
        description=f"first day; default: {DEFAULT_DAYS} days up to `until`",
    )
    until: date | None = Field(
        default=None, ge=FIRST_DAY, le=LAST_DAY, description="last day; default: today"
    )
    time_zone: str = Field(
        default="Asia/Shanghai",
        max_length=64,
        pattern=r"^[^\x00]+$",
        description="IANA name; its days may have 23 or 25 hours",
    )
    appid: WeChatId | None = Field(
        default=None, description="one account; default: all configured accounts"
    )


@dataclass(frozen=True, slots=True)
class DateRange:
    """The first and the last day, both included, in a time zone that Postgres knows."""

    since: date
    until: date
    time_zone: str

    @property
    def days(self) -> list[date]:
        """Return every day, in order."""
        return [
            self.since + timedelta(number) for number in range((self.until - self.since).days + 1)
        ]

    @property
    def earliest(self) -> datetime:
        """A time shortly before the first day in every time zone, to limit an index scan."""
        return datetime.combine(self.since, time(), UTC) - timedelta(days=1)

    @property
    def latest(self) -> datetime:
        """A time shortly after the last day in every time zone."""
        return datetime.combine(self.until, time(), UTC) + timedelta(days=2)

    @property
    def parameters(self) -> dict[str, object]:
        """Return what statements about these days are bound to."""
        return {
            "zone": self.time_zone,
            "earliest": self.earliest,
            "latest": self.latest,
            "since": self.since,
            "until": self.until,
        }

    @property
    def has_counted_days(self) -> bool:
        """Tell whether all the days are days of UTC+8, by which counts are kept."""
        try:
            zone = ZoneInfo(self.time_zone)
        except (ValueError, OSError, KeyError):  # Postgres knows it, and Python does not
            return False
        midnights = (datetime.combine(day, time(), zone) for day in self.days)
        end = datetime.combine(self.until + timedelta(days=1), time(), zone)
        return all(one.utcoffset() == COUNTED_OFFSET for one in (*midnights, end))


async def date_range_of(session: AsyncSession, query: DateRangeQuery, now: datetime) -> DateRange:
    """Return the days of a query. Raises InvalidRequest, which names the field."""
    today: date | None = await session.scalar(_TODAY, {"zone": query.time_zone, "now": now})
    if today is None:
        raise _invalid("time_zone", "is not known: write an IANA name such as Asia/Shanghai")
    until = query.until or today
    since = query.since or until - timedelta(days=DEFAULT_DAYS - 1)
    if since > until:
        raise _invalid("from", f"is after until ({until}): choose an earlier day")
    if (until - since).days >= MAX_DAYS:
        problem = f"is more than {MAX_DAYS} days before until ({until}): request several parts"
        raise _invalid("from", problem)
    return DateRange(since, until, query.time_zone)


# Postgres computes the days, so its list of names counts. AT TIME ZONE would also accept
# abbreviations, which have no daylight saving time, and POSIX rules, whose sign is reversed.
_TODAY = text(
    """
    SELECT CAST(CAST(:now AS timestamptz) AT TIME ZONE name AS date)
    FROM pg_timezone_names WHERE name = :zone
    """
)


def _invalid(field: str, problem: str) -> InvalidRequest:
    return InvalidRequest([Problem(loc=["query", field], msg=problem, type="value_error")])
