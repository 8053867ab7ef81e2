"""SQL of queued replies and of the send-window ledger."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import exists, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.replies.models import OPEN_STATUSES, Reply, ReplyStatus, SendWindow
from app.replies.retry_policy import WINDOW_CLOSED, SendOutcome, WindowVerdict

# What is locked and passed over is chosen in a CTE: as a subquery it could be run more than once.
SWEEP_LIMIT = 1000
# A job that exists needs no help within this time of the callback.
SWEEP_AFTER = timedelta(seconds=60)

_TO_SEND = (ReplyStatus.PENDING, ReplyStatus.SENDING)


async def to_send(session: AsyncSession, callback_id: UUID) -> Sequence[UUID]:
    """Return the replies of a callback that are still to be sent, in the rule's order."""
    found = await session.scalars(
        select(Reply.id)
        .where(
            Reply.callback_id == callback_id,
            Reply.via == "customer_service",
            Reply.status.in_(_TO_SEND),
        )
        .order_by(Reply.position)
    )
    return found.all()


async def claim(session: AsyncSession, reply_id: UUID, now: datetime) -> Reply | None:
    """Mark a reply as being sent, or settle it unsent: expired, or held while no window is open.

    A reply found `sending` belongs to a worker that died: it is sent again, since a card that
    may be doubled is better than one that may be lost. Locks the reply's row.
    """
    reply = await session.scalar(
        select(Reply).where(Reply.id == reply_id, Reply.status.in_(_TO_SEND)).with_for_update()
    )
    if reply is None:
        return None
    if reply.expires_at is not None and reply.expires_at <= now:
        reply.status = ReplyStatus.EXPIRED
        return None
    if not await _may_send(session, reply.appid, reply.openid, now):
        reply.status = ReplyStatus.HELD
        reply.errmsg = reply.errmsg or "no send window is open"
        return None
    reply.status = ReplyStatus.SENDING
    reply.attempts += 1
    return reply


async def mark_sent(session: AsyncSession, reply: Reply, now: datetime) -> None:
    """Record a delivery and charge the window that expires first."""
    await session.execute(
        update(Reply)
        .where(Reply.id == reply.id)
        .values(status=ReplyStatus.SENT, sent_at=now, errcode=None, errmsg=None)
    )
    first = (
        select(SendWindow.trigger)
        .where(*_open(reply.appid, reply.openid, now))
        .order_by(SendWindow.expires_at)
        .limit(1)
        .with_for_update()
        .scalar_subquery()
    )
    await session.execute(
        update(SendWindow)
        .where(
            SendWindow.appid == reply.appid,
            SendWindow.openid == reply.openid,
            SendWindow.trigger == first,
        )
        .values(sends_left=SendWindow.sends_left - 1)
    )


async def mark_unsent(
    session: AsyncSession, reply: Reply, outcome: SendOutcome, *, tried_at: datetime
) -> None:
    """Record a failed attempt; where WeChat says that the window is closed, believe it."""
    await session.execute(
        update(Reply)
        .where(Reply.id == reply.id)
        .values(
            status=outcome.status,
            errcode=outcome.errcode,
            errmsg=outcome.errmsg,
        )
    )
    if outcome.window is WindowVerdict.CLOSED:
        await session.execute(
            update(SendWindow)
            .where(
                SendWindow.appid == reply.appid,
                SendWindow.openid == reply.openid,
                SendWindow.opened_at <= tried_at,
            )
            .values(sends_left=0)
        )


async def expire_overdue(session: AsyncSession, now: datetime) -> int:
    """End up to SWEEP_LIMIT replies whose time is over; return how many.

    One that is being sent right now is left to its job.
    """
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
        .values(status=ReplyStatus.EXPIRED)
        .returning(Reply.id)
    )
    return len(result.all())


async def wake_held(session: AsyncSession, now: datetime) -> int:
    """Make up to SWEEP_LIMIT replies pending again that a closed window held and an open one frees.

    The inbox does so at once; this heals the case in which both happen at the same moment. What
    WeChat refused for another reason waits for the follower's next action.
    """
    held = (
        select(Reply.id)
        .where(Reply.status == ReplyStatus.HELD, Reply.expires_at > now)
        .where(or_(Reply.errcode.is_(None), Reply.errcode.in_(WINDOW_CLOSED)))
        .where(
            exists()
            .where(SendWindow.appid == Reply.appid, SendWindow.openid == Reply.openid)
            .where(SendWindow.sends_left > 0, SendWindow.expires_at > now)
        )
        .order_by(Reply.expires_at)
        .limit(SWEEP_LIMIT)
        .with_for_update(skip_locked=True, of=Reply)
        .cte()
    )
    result = await session.execute(
        update(Reply)
        .where(Reply.id.in_(select(held.c.id)))
        .values(status=ReplyStatus.PENDING)
        .returning(Reply.id)
    )
    return len(result.all())


async def unattended(session: AsyncSession, now: datetime) -> Sequence[UUID]:
    """Return up to SWEEP_LIMIT callbacks whose replies should be on their way for a while."""
    found = await session.scalars(
        select(Reply.callback_id)
        .where(Reply.status.in_(_TO_SEND), Reply.created_at < now - SWEEP_AFTER)
        .group_by(Reply.callback_id)
        .order_by(func.min(Reply.expires_at))
        .limit(SWEEP_LIMIT)
    )
    return found.all()


async def _may_send(session: AsyncSession, appid: str, openid: str, now: datetime) -> bool:
    found: bool | None = await session.scalar(select(exists().where(*_open(appid, openid, now))))
    return bool(found)


def _open(appid: str, openid: str, now: datetime) -> tuple[Any, ...]:
    return (
        SendWindow.appid == appid,
        SendWindow.openid == openid,
        SendWindow.sends_left > 0,
        SendWindow.expires_at > now,
    )
