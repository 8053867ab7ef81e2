"""Replies as `/api/replies` returns them: their state, without their contents."""

from datetime import datetime
from typing import Self
from uuid import UUID

from pydantic import ConfigDict, Field

from app.api_model import ApiModel
from app.replies.models import Reply, ReplyAttempt, ReplyStatus, Via
from app.wechat.errcodes import Language, explain


class ReplyOut(ApiModel):
    """One reply to one callback.

    A `failed` reply whose errmsg begins with `outcome unknown` may have arrived. rid: of the
    request in WeChat's own log, which is kept for seven days. meaning, fix: what the errcode means
    and what to do about it; null without an errcode.
    """

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    """The id of the reply."""
    callback_id: UUID
    """The callback that it answers."""
    appid: str
    """The account."""
    openid: str
    """The person to whom it is sent."""
    rule_id: int | None
    """The rule that made it; null if that is not known."""
    via: Via
    """How it is sent: `passive` in the response to the push, `customer_service` by custom/send."""
    msgtype: str
    """The kind of message."""
    status: ReplyStatus
    """What became of it so far."""
    attempts: int
    """How often it was tried."""
    uncertain_attempts: int
    """How many attempts may have arrived while nobody knows; it may have arrived so often."""
    errcode: int | None
    """WeChat's last error code."""
    errmsg: str | None
    """WeChat's last error, or why it was not sent."""
    rid: str | None
    """The id of the request in WeChat's own log, which is kept for seven days."""
    meaning: str | None = None
    """What the errcode means; null without one."""
    fix: str | None = None
    """What to do about the errcode; null without one."""
    created_at: datetime
    """When the callback arrived."""
    expires_at: datetime | None
    """When its send window ends."""
    sent_at: datetime | None
    """When WeChat accepted it."""

    @classmethod
    def of(cls, reply: Reply, language: Language) -> Self:
        """Return a reply with its errcode explained in a language."""
        shown = cls.model_validate(reply)
        if shown.errcode is not None:
            found = explain(shown.errcode, language, shown.rid)
            shown.meaning, shown.fix = found.meaning, found.fix
        return shown


class AttemptOut(ApiModel):
    """One attempt to send a reply."""

    model_config = ConfigDict(from_attributes=True)

    number: int
    """From 1."""
    began_at: datetime
    """When it began."""
    ended_at: datetime | None
    """When it ended; null while it goes on, and for good if the worker died then."""
    worker: str
    """Host and process of the worker."""
    status: ReplyStatus | None
    """The state of the reply after it; null as long as `ended_at` is."""
    errcode: int | None
    """WeChat's error code."""
    errmsg: str | None
    """WeChat's error, or why it was not sent."""
    rid: str | None
    """The id of the request in WeChat's own log, which is kept for seven days."""
    meaning: str | None = None
    """What the errcode means; null without one."""
    fix: str | None = None
    """What to do about the errcode; null without one."""

    @classmethod
    def of(cls, attempt: ReplyAttempt, language: Language) -> "AttemptOut":
        """Return an attempt with its errcode explained in a language."""
        shown = cls.model_validate(attempt)
        if shown.errcode is not None:
            found = explain(shown.errcode, language, shown.rid)
            shown.meaning, shown.fix = found.meaning, found.fix
        return shown


class ReplyWithAttempts(ReplyOut):
    """A reply with its attempts."""

    attempts_made: list[AttemptOut] = Field(default_factory=list)
    """The last one first; none of a passive reply, and none from before this was recorded."""


class ReplyPage(ApiModel):
    """Replies, the newest first."""

    items: list[ReplyOut]
    """The replies."""
    next: UUID | None
    """Pass it as `before` for the next page; null on the last page."""
