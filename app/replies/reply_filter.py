"""What a list of replies, and a retry of many, are narrowed by."""

from datetime import datetime
from typing import Any, Protocol, TypeVar

from sqlalchemy import Select

from app.replies.models import Reply

Statement = TypeVar("Statement", bound=Select[Any])


class ReplyFilter(Protocol):
    """None: any. since, until: of `created_at`; until is not included."""

    @property
    def appid(self) -> str | None: ...
    @property
    def openid(self) -> str | None: ...
    @property
    def rule_id(self) -> int | None: ...
    @property
    def errcode(self) -> int | None: ...
    @property
    def msgtype(self) -> str | None: ...
    @property
    def since(self) -> datetime | None: ...
    @property
    def until(self) -> datetime | None: ...


def filter_replies(statement: Statement, wanted: ReplyFilter) -> Statement:
    """Return a SELECT of rows of `replies` that fit."""
    columns = {
        Reply.appid: wanted.appid,
        Reply.openid: wanted.openid,
        Reply.rule_id: wanted.rule_id,
        Reply.errcode: wanted.errcode,
        Reply.msgtype: wanted.msgtype,
    }
    for column, value in columns.items():
        if value is not None:
            statement = statement.where(column == value)
    if wanted.since is not None:
        statement = statement.where(Reply.created_at >= wanted.since)
    if wanted.until is not None:
        statement = statement.where(Reply.created_at < wanted.until)
    return statement
