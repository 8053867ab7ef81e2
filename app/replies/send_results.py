"""What this process knows about its own sends and has not recorded yet.

Without it a reply whose result could not be recorded would look like one that a dead worker left
behind, and would be sent again.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID

from app.replies.models import Reply
from app.replies.retry_policy import SendOutcome
from app.wechat.outbound import Message

# Only results that the database did not take are kept, so there are few.
MAX_RESULTS: Final = 1000


@dataclass(frozen=True, slots=True)
class SendResult:
    """The result of one attempt. outcome: None if the message was sent.

    coded: what was sent in place of the stored content, which has the mark of a code.
    """

    reply: Reply
    outcome: SendOutcome | None
    tried_at: datetime
    ended_at: datetime
    coded: Message | None = None


@dataclass(frozen=True, slots=True)
class SendResults:
    """Replies that this process sends now, and results that are not recorded yet."""

    _sending: set[UUID] = field(default_factory=set)
    _results: dict[UUID, SendResult] = field(default_factory=dict)
    # Since when the claims of a reply fail. They may stand in the table, but nothing was sent after
    # them.
    _unsent: dict[UUID, datetime] = field(default_factory=dict)

    @contextmanager
    def sending(self, reply_id: UUID) -> Iterator[bool]:
        """Mark a reply as being sent; yield False if another task of this process sends it."""
        if reply_id in self._sending:
            yield False
            return
        self._sending.add(reply_id)
        try:
            yield True
        finally:
            self._sending.discard(reply_id)

    def get(self, reply_id: UUID) -> SendResult | None:
        """Return the result of a reply that is not recorded yet."""
        return self._results.get(reply_id)

    def add(self, result: SendResult) -> None:
        """Remember a result until it is recorded."""
        self._results[result.reply.id] = result
        while len(self._results) > MAX_RESULTS:
            del self._results[next(iter(self._results))]

    def discard(self, reply_id: UUID) -> None:
        """Forget a result that is recorded."""
        self._results.pop(reply_id, None)

    def claiming(self, reply_id: UUID, now: datetime) -> None:
        """Remember a claim until it succeeds."""
        self._unsent.setdefault(reply_id, now)
        while len(self._unsent) > MAX_RESULTS:
            del self._unsent[next(iter(self._unsent))]

    def claimed(self, reply_id: UUID) -> None:
        """Forget a claim that succeeded."""
        self._unsent.pop(reply_id, None)

    def unsent_since(self, reply_id: UUID) -> datetime | None:
        """Return when the claims of a reply by this process began to fail; None: they did not."""
        return self._unsent.get(reply_id)
