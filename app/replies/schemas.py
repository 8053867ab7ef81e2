"""Replies as `/api/replies` returns them: their state, without their contents."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from app.replies.models import ReplyStatus, Via


class ReplyOut(BaseModel):
    """One reply to one callback. errcode, errmsg: WeChat's last error, or why it was held.

    A `failed` reply whose errmsg begins with `outcome unknown` may have arrived.
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
    created_at: datetime
    expires_at: datetime | None
    sent_at: datetime | None


class ReplyPage(BaseModel):
    """Replies, the newest first. next: pass it as `before`; null on the last page."""

    items: list[ReplyOut]
    next: UUID | None
