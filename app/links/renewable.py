"""What WeChat makes for some weeks: when a worker renews it, in which run, and the last failure."""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID, uuid4

from sqlalchemy.orm import Mapped

from app.wechat.errors import ApiError

# Longer than a call with a renewed access token, each at the longest WECHAT_API_TIMEOUT_SECONDS.
LEASE: Final = timedelta(minutes=4)


class Renewable:
    """The columns of a row that is renewed. The methods need the row locked.

    renew_at: when the worker asks WeChat for the next one. leased_until, lease: the run that asks
    now. attempts: failed calls since the last success; errcode, error, rid, failed_at: of the last
    of them.
    """

    renew_at: Mapped[datetime]
    leased_until: Mapped[datetime | None]
    lease: Mapped[UUID | None]
    attempts: Mapped[int]
    errcode: Mapped[int | None]
    error: Mapped[str | None]
    rid: Mapped[str | None]
    failed_at: Mapped[datetime | None]

    def take_lease(self, now: datetime) -> UUID | None:
        """Return the lease of a new run; None if nothing is due, or another run has the lease."""
        if self.renew_at > now or (self.leased_until is not None and self.leased_until > now):
            return None
        lease = uuid4()
        self.lease, self.leased_until = lease, now + LEASE
        return lease

    def release(self, lease: UUID) -> bool:
        """End the lease of a run; return whether the run still had it."""
        if self.lease != lease:
            return False
        self.lease = self.leased_until = None
        return True

    def note_success(self) -> None:
        """Forget earlier failures."""
        self.attempts = 0
        self.errcode = self.error = self.rid = self.failed_at = None

    def note_failure(self, error: ApiError, now: datetime) -> None:
        """Keep what WeChat said to this call."""
        self.attempts += 1
        self.errcode, self.error = error.errcode, error.errmsg
        self.rid, self.failed_at = error.rid, now
