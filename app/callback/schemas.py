"""Stored pushes as `/api/callbacks` returns them."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import ConfigDict

from app.api_model import ApiModel


class CallbackSummary(ApiModel):
    """One push, without its content."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    """The id of the push."""
    appid: str
    """The account that got it."""
    openid: str
    """Whom it is about; a platform account, if it names no person; empty for an event of nobody;
    `sha256:…` in place of a name that is too long for an id.
    """
    msgtype: str
    """Its MsgType."""
    event: str | None
    """Its Event; null for a message."""
    occurred_at: datetime
    """Its CreateTime."""
    received_at: datetime
    """When it arrived here."""


class CallbackOut(CallbackSummary):
    """One push with its content."""

    payload: dict[str, Any]
    """Every member as WeChat wrote it, with numbers as text and a repeated member as a list; `{}`
    once the content is erased.
    """


class CallbackPage(ApiModel):
    """Pushes, the newest first."""

    items: list[CallbackSummary]
    """The pushes."""
    next: UUID | None
    """Pass it as `before` for the next page; null on the last page."""
