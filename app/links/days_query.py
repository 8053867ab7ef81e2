"""The days that figures are asked for, as links and QR codes take them."""

from datetime import date, datetime, timedelta
from typing import Final

from pydantic import Field

from app.api_model import ApiModel
from app.api_time import Day
from app.clock import SHANGHAI
from app.links.http_errors import unprocessable

DEFAULT_DAYS: Final = 30
MAX_DAYS: Final = 366


class DaysQuery(ApiModel):
    """The first and the last day, both included."""

    since: Day | None = Field(default=None, alias="from", description="first day in Shanghai")
    until: Day | None = Field(default=None, description="last day; default: today")

    def days(self, now: datetime) -> tuple[date, date]:
        """Return the first and the last day. Raises InvalidRequest."""
        until = self.until or now.astimezone(SHANGHAI).date()
        since = self.since or until - timedelta(days=DEFAULT_DAYS - 1)
        if since > until:
            raise unprocessable(
                "from", "is after `until`: give the earlier day first", part="query"
            )
        if (until - since).days >= MAX_DAYS:
            raise unprocessable("from", f"asks for more than {MAX_DAYS} days", part="query")
        return since, until
