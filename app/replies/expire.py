"""Expires replies whose send window ended before they were sent, and says why."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.replies.models import OPEN_STATUSES, Reply, ReplyStatus

SWEEP_LIMIT: Final = 1000

_ENDED_AT: Final = "its send window ended at "
_BEFORE: Final = " by the database's clock, before it was sent: "
_NEVER_TRIED: Final = "no worker had tried to send it"


@dataclass(frozen=True, slots=True)
class ExpiredReply:
    """What is reported of a reply that the sweep expired."""

    appid: str
    msgtype: str


def arrived_too_late(occurred_at: datetime, received_at: datetime, window_end: datetime) -> str:
    """Return why a reply can't be sent to a push that came after the end of its send window."""
    late = (received_at - occurred_at).total_seconds()
    over = (received_at - window_end).total_seconds()
    return (
        f"the push arrived {late:.0f} s after it happened (CreateTime by WeChat's clock, arrival "
        f"by the database's): its send window had ended {over:.0f} s before"
    )


def expiry_reason(reply: Reply) -> str:
    """Return why a queued reply expires; `_EXPIRY_REASON` is the same in SQL, for many."""
    end = "" if reply.expires_at is None else f"{reply.expires_at.astimezone(UTC):%FT%TZ}"
    return f"{_ENDED_AT}{end}{_BEFORE}{reply.errmsg or _NEVER_TRIED}"


_EXPIRY_REASON: Final = func.concat(
    _ENDED_AT,
    func.to_char(func.timezone("UTC", Reply.expires_at), 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
    _BEFORE,
    func.coalesce(func.nullif(Reply.errmsg, ""), _NEVER_TRIED),
)


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
        .values(status=ReplyStatus.EXPIRED, errmsg=_EXPIRY_REASON)
        .returning(Reply.appid, Reply.msgtype)
        .execution_options(synchronize_session=False)
    )
    return [ExpiredReply(appid, msgtype) for appid, msgtype in result]
