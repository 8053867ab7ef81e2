"""Which days the figures are about: asked for, checked, and completed."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.identity.schemas import WeChatId

MAX_DAYS = 366
USUAL_DAYS = 30
FIRST_DAY = date(2011, 1, 1)  # WeChat's first year
LAST_DAY = date(9000, 1, 1)


class SpanQuery(BaseModel):
    """The days, both included, as the clocks of a time zone show them."""

    model_config = ConfigDict(extra="forbid")

    since: date | None = Field(
        default=None,
        alias="from",
        ge=FIRST_DAY,
        le=LAST_DAY,
        description=f"first day; default: {USUAL_DAYS} days up to `until`",
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
        default=None, description="one account; default: all that are configured"
    )


@dataclass(frozen=True, slots=True)
class Span:
    """Days of a time zone that Postgres knows, both included."""

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
        """A moment before the first day in every time zone, near enough for an index."""
        return datetime.combine(self.since, time(), UTC) - timedelta(days=1)

    @property
    def latest(self) -> datetime:
        """A moment after the last day in every time zone."""
        return datetime.combine(self.until, time(), UTC) + timedelta(days=2)


async def span_of(session: AsyncSession, asked: SpanQuery, now: datetime) -> Span:
    """Return the span that is asked for. Raises RequestValidationError, naming the field."""
    today: date | None = await session.scalar(_TODAY, {"zone": asked.time_zone, "now": now})
    if today is None:
        raise _wrong("time_zone", "is not known: write an IANA name such as Asia/Shanghai", asked)
    until = asked.until or today
    since = asked.since or until - timedelta(days=USUAL_DAYS - 1)
    if since > until:
        raise _wrong("from", f"is after until ({until}): choose an earlier day", asked)
    if (until - since).days >= MAX_DAYS:
        problem = f"is more than {MAX_DAYS} days before until ({until}): ask in several parts"
        raise _wrong("from", problem, asked)
    return Span(since, until, asked.time_zone)


# The names are Postgres' own, since it does the reckoning; what else AT TIME ZONE would take
# (abbreviations, POSIX rules) has no daylight saving time or another sign.
_TODAY = text(
    """
    SELECT CAST(CAST(:now AS timestamptz) AT TIME ZONE name AS date)
    FROM pg_timezone_names WHERE name = :zone
    """
)


def _wrong(field: str, problem: str, asked: SpanQuery) -> RequestValidationError:
    given = asked.model_dump(mode="json", by_alias=True)[field]
    return RequestValidationError(
        [{"type": "value_error", "loc": ("query", field), "msg": problem, "input": given}]
    )
