"""Stored pushes as `/api/callbacks` returns them."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict


class CallbackSummary(BaseModel):
    """One push, without its content.

    openid: whom it is about; a platform account, if it names no person; empty for an event of
    nobody; `sha256:…` in place of a name that is too long for an id. occurred_at: CreateTime.
    """

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    appid: str
    openid: str
    msgtype: str
    event: str | None
    occurred_at: datetime
    received_at: datetime


class CallbackOut(CallbackSummary):
    """One push with its content.

    payload: every member as WeChat wrote it, with numbers as text and a repeated member as a list;
    `{}` once the content is erased.
    """

    payload: dict[str, Any]


class CallbackPage(BaseModel):
    """Pushes, the newest first. next: pass it as `before`; null on the last page."""

    items: list[CallbackSummary]
    next: UUID | None
