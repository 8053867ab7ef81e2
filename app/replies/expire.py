"""Expires replies whose send window ended before they were sent, and says why."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

from sqlalchemy import (
    ColumnElement,
    Integer,
    ScalarSelect,
    case,
    cast,
    extract,
    func,
    literal,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncSession

from app.replies.models import OPEN_STATUSES, Reply, ReplyStatus
from app.wechat_client.models import ApiProblem

SWEEP_LIMIT: Final = 1000

_ENDED_AT: Final = "its send window ended at "
_CLOCK: Final = " by the database's clock, "
_BEFORE: Final = " s before a worker found it unsent: "
_NEVER_TRIED: Final = "no worker had tried to send it"


class ExpiryReason(StrEnum):
    """Why a reply expired.

    push_late: its push came after the end of the send window. not_tried: no worker had tried to
    send it. not_accepted: WeChat had refused it, or it had to wait, until the end.
    """

    PUSH_LATE = "push_late"
    NOT_TRIED = "not_tried"
    NOT_ACCEPTED = "not_accepted"


@dataclass(frozen=True, slots=True)
class ExpiredReply:
    """What is reported of a queued reply that expired. late_seconds: after the end of its window;
    after `CreateTime` if the push was late.
    """

    appid: str
    msgtype: str
    reason: ExpiryReason
    late_seconds: float


def arrived_too_late(occurred_at: datetime, received_at: datetime, window_end: datetime) -> str:
    """Return why a reply can't be sent to a push that came after the end of its send window."""
    late = (received_at - occurred_at).total_seconds()
    over = (received_at - window_end).total_seconds()
    return (
        f"the push arrived {late:.0f} s after it happened (CreateTime by WeChat's clock, arrival "
        f"by the database's): its send window had ended {over:.0f} s before"
    )


def expiry_reason(reply: Reply, now: datetime) -> str:
    """Return why a queued reply expires; `_expiry_reason` is the same in SQL, for many."""
    expires_at = reply.expires_at or now
    end = f"{expires_at.astimezone(UTC):%FT%TZ}"
    late = int((now - expires_at).total_seconds())
    return f"{_ENDED_AT}{end}{_CLOCK}{late}{_BEFORE}{reply.errmsg or _NEVER_TRIED}"


def _expiry_reason(now: datetime) -> ColumnElement[str]:
    late = func.floor(extract("epoch", literal(now) - Reply.expires_at))
    return func.concat(
        _ENDED_AT,
        func.to_char(func.timezone("UTC", Reply.expires_at), 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
        _CLOCK,
        cast(late, Integer),
        _BEFORE,
        func.coalesce(func.nullif(Reply.errmsg, ""), _refusal(), _NEVER_TRIED),
    )


def _refusal() -> ScalarSelect[str]:
    """Why all sends of the account wait: workers leave its replies alone meanwhile."""
    begin = case(
        (ApiProblem.errcode.is_(None), "WeChat answers none of the account's sends: "),
        else_="WeChat refuses the account's sends: ",
    )
    return (
        select(func.concat(begin, ApiProblem.errmsg))
        .where(
            ApiProblem.appid == Reply.appid,
            ApiProblem.api.in_(("message/custom/send", "stable_token")),
            ApiProblem.probe_at.is_not(None),
        )
        .order_by(ApiProblem.api)
        .limit(1)
        .correlate(Reply)
        .scalar_subquery()
    )


def expired_reply(
    appid: str, msgtype: str, errmsg: str | None, expires_at: datetime | None, now: datetime
) -> ExpiredReply:
    """Return what is reported of a queued reply whose row says already why it expired."""
    never_tried = errmsg is not None and errmsg.endswith(_NEVER_TRIED)
    reason = ExpiryReason.NOT_TRIED if never_tried else ExpiryReason.NOT_ACCEPTED
    late = 0.0 if expires_at is None else (now - expires_at).total_seconds()
    return ExpiredReply(appid, msgtype, reason, late)


async def expire_overdue(session: AsyncSession, now: datetime) -> Sequence[ExpiredReply]:
    """Expire up to SWEEP_LIMIT replies whose send window has ended; return them.

    Replies that are being sent are left to their job.
    """
    # A CTE runs once. A subquery may run again and skip the rows that it has locked itself.
    overdue = (
        select(Reply.id)
        .where(Reply.status.in_(OPEN_STATUSES), Reply.expires_at <= now)
        .where(Reply.status != ReplyStatus.SENDING)
        .order_by(Reply.expires_at)
        .limit(SWEEP_LIMIT)
        .with_for_update(skip_locked=True)
        .cte()
    )
    result = await session.execute(
        update(Reply)
        .where(Reply.id.in_(select(overdue.c.id)))
        .values(status=ReplyStatus.EXPIRED, errmsg=_expiry_reason(now))
        .returning(Reply.appid, Reply.msgtype, Reply.errmsg, Reply.expires_at)
        .execution_options(synchronize_session=False)
    )
    return [expired_reply(*row, now) for row in result]
