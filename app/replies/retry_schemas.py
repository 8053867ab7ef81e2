"""Retries of many replies as `/api/replies/retries` takes and returns them."""

from datetime import datetime
from typing import Any, Final, Literal
from uuid import UUID

from pydantic import ConfigDict, Field

from app.api_model import ApiModel
from app.api_time import Time
from app.identity.schemas import WeChatId
from app.replies.models import ReplyStatus
from app.replies.retry_store import RetryQuery

MAX_RULE_ID: Final = 2**63 - 1
MAX_ERRCODE: Final = 2**31 - 1

EXAMPLES: Final[dict[str, Any]] = {
    "linked": {
        "summary": "Cards that failed since their mini-program was not linked",
        "value": {"status": "failed", "errcode": 40166, "msgtype": "miniprogrampage"},
    },
    "everything": {"summary": "Whatever can be sent again", "value": {}},
}


class RetriesFilter(ApiModel):
    """Which replies to send again: unsent queued ones whose send window has not ended."""

    # A misspelt filter would send everything again.
    model_config = ConfigDict(extra="forbid")

    status: Literal["failed", "held", "skipped"] | None = None
    """Only replies in this state."""
    appid: WeChatId | None = None
    """Only replies of this account."""
    openid: WeChatId | None = None
    """Only replies to this person."""
    rule_id: int | None = Field(default=None, ge=1, le=MAX_RULE_ID)
    """Only replies of this rule."""
    errcode: int | None = Field(default=None, ge=-MAX_ERRCODE, le=MAX_ERRCODE)
    """Only replies whose last attempt ended with this errcode."""
    msgtype: str | None = Field(default=None, min_length=1, max_length=32, pattern="^[a-z_]+$")
    """Only replies of this kind, as `miniprogrampage`."""
    since: Time | None = Field(
        default=None,
        alias="from",
        description="Only replies to callbacks that arrived then or later",
    )
    until: Time | None = None
    """Only replies to callbacks that arrived before."""
    include_uncertain: bool = False
    """Also those whose outcome is unknown: they may have arrived, and arrive twice then."""

    def query(self) -> RetryQuery:
        """Return the filter as the database is asked."""
        status = None if self.status is None else ReplyStatus(self.status)
        wanted = self.model_dump(exclude={"status", "id"})
        return RetryQuery(status=status, **wanted)


class RetryIn(RetriesFilter):
    """A retry to start."""

    id: UUID | None = None
    """Of the retry, drawn by the caller so that a repeated request starts one; else drawn here."""


class RetryCount(ApiModel):
    """How many replies a retry would send again."""

    count: int
    """How many, 10,000 at most."""
    more: bool
    """Whether there are more; they need another retry."""


class RetryOut(ApiModel):
    """How far a retry is."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    """The id of the retry."""
    operator: str
    """Who started it: the name of the operator or of the token."""
    created_at: datetime
    """When it was started."""
    ended_at: datetime | None
    """When it had come to all of its replies; null until then."""
    total: int
    """How many replies it has."""
    done: int
    """How many it has come to."""
    refused: int
    """Of `done`, how many could not be sent again: they were sent, or too late, meanwhile."""
