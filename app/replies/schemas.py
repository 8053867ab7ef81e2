"""Replies as `/api/replies` returns them: their state, without their contents."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from app.replies.models import Reply, ReplyStatus, Via
from app.wechat.errcodes import Language, explain


class ReplyOut(BaseModel):
    """One reply to one callback. errcode, errmsg: WeChat's last error, or why it was not sent.

    A `failed` reply whose errmsg begins with `outcome unknown` may have arrived. rid: of the
    request in WeChat's own log, which is kept for seven days. meaning, fix: what the errcode means
    and what to do about it; null without an errcode.
    """

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    callback_id: UUID
    appid: str
    openid: str
    rule_id: int | None
    via: Via
    msgtype: str
    status: ReplyStatus
    attempts: int
    errcode: int | None
    errmsg: str | None
    rid: str | None
    meaning: str | None = None
    fix: str | None = None
    created_at: datetime
    expires_at: datetime | None
    sent_at: datetime | None

    @classmethod
    def of(cls, reply: Reply, language: Language) -> "ReplyOut":
        """Return a reply with its errcode explained in a language."""
        shown = cls.model_validate(reply)
        if shown.errcode is not None:
            found = explain(shown.errcode, language, shown.rid)
            shown.meaning, shown.fix = found.meaning, found.fix
        return shown


class ReplyPage(BaseModel):
    """Replies, the newest first. next: pass it as `before`; null on the last page."""

    items: list[ReplyOut]
    next: UUID | None
