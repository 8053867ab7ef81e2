"""SQL of queued replies and of send windows."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, case, exists, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.replies.expire import SWEEP_LIMIT, expiry_reason
from app.replies.jobs import URGENT_WITHIN
from app.replies.models import OPEN_STATUSES, Reply, ReplyStatus, SendWindow
from app.replies.retry_policy import UNKNOWN, WINDOW_CLOSED, SendOutcome, WindowVerdict

# Rows to lock are chosen in a CTE, which runs once. A subquery may run again and skip the rows that
# it has locked itself.
# Younger replies are left to the job that was enqueued with them.
SWEEP_AFTER = timedelta(seconds=60)
URGENT_AFTER = timedelta(seconds=3)

CARD = "miniprogrampage"
OUTCOME_UNKNOWN = f"{UNKNOWN}: the worker that was sending recorded no result"

_TO_SEND = (ReplyStatus.PENDING, ReplyStatus.SENDING)


async def to_send(session: AsyncSession, callback_id: UUID) -> Sequence[Row[UUID, str, str | None]]:
    """Return the replies of a callback that are still to be sent, in the rule's order.

    Each with its account, and the mini-program that a card opens.
    """
    mini_program = case((Reply.msgtype == CARD, Reply.content["appid"].astext))
    found = await session.execute(
        select(Reply.id, Reply.appid, mini_program)
        .where(
            Reply.callback_id == callback_id,
            Reply.via == "customer_service",
            Reply.status.in_(_TO_SEND),
        )
        .order_by(Reply.position)
    )
    return found.all()


async def note_pause(session: AsyncSession, reply_id: UUID, outcome: SendOutcome) -> None:
    """Write why a reply waits that no worker has tried to send."""
    await session.execute(
        update(Reply)
        .where(Reply.id == reply_id, Reply.errmsg.is_(None), Reply.status == ReplyStatus.PENDING)
        .values(errcode=outcome.errcode, errmsg=outcome.errmsg, rid=outcome.rid)
    )


async def attempt_of_interrupted(session: AsyncSession, reply_id: UUID) -> int | None:
    """Return the attempt that began to send a reply and recorded no result; None if none did."""
    attempts: int | None = await session.scalar(
        select(Reply.attempts).where(Reply.id == reply_id, Reply.status == ReplyStatus.SENDING)
    )
    return attempts


async def claim(
    session: AsyncSession,
    reply_id: UUID,
    now: datetime,
    *,
    interrupted: int | None = None,
    may_have_arrived: bool = False,
) -> Reply | None:
    """Mark a reply as being sent and return it; None if it must not be sent now.

    interrupted: the attempt that is taken over. may_have_arrived: whether it may have reached
    WeChat; it counts as a send then. A reply that another attempt is sending is left to it. A reply
    that is overdue is returned as expired, or as failed with an unknown outcome if an attempt had
    begun; one without an open send window becomes held. Locks the reply's row.
    """
    # A reply that stays `sending` belongs to a worker that died. It is sent again, since a card
    # that may arrive twice is better than one that may be lost.
    reply = await session.scalar(
        select(Reply).where(Reply.id == reply_id, Reply.status.in_(_TO_SEND)).with_for_update()
    )
    if reply is None:
        return None
    begun = reply.status is ReplyStatus.SENDING
    if begun and reply.attempts != interrupted:
        return None
    if reply.expires_at is not None and reply.expires_at <= now:
        if may_have_arrived:
            await _charge(session, reply, now)
        if begun:
            reply.status, reply.errmsg = ReplyStatus.FAILED, OUTCOME_UNKNOWN
        else:
            reply.status, reply.errmsg = ReplyStatus.EXPIRED, expiry_reason(reply)
        return reply
    if not await _may_send(session, reply.appid, reply.openid, now):
        reply.status = ReplyStatus.HELD
        reply.errmsg = reply.errmsg or "no send window is open"
        return None
    if may_have_arrived:
        await _charge(session, reply, now)
    reply.status = ReplyStatus.SENDING
    reply.attempts += 1
    return reply


async def mark_sent(session: AsyncSession, reply: Reply, now: datetime) -> None:
    """Record that a reply was sent, and charge the send window that expires first.

    It is recorded once, however often this is repeated.
    """
    marked = await session.scalar(
        update(Reply)
        .where(Reply.id == reply.id, Reply.status != ReplyStatus.SENT)
        .values(status=ReplyStatus.SENT, sent_at=now, errcode=None, errmsg=None, rid=None)
        .returning(Reply.id)
    )
    if marked is not None:
        await _charge(session, reply, now)


async def _charge(session: AsyncSession, reply: Reply, now: datetime) -> None:
    """Count one send against the open send window that expires first, if there is one."""
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
    """Record a failed attempt, once.

    If WeChat says that the send window is closed, it is closed. An attempt that WeChat may have
    counted is charged.
    """
    marked = await session.scalar(
        update(Reply)
        # Another worker may have taken the reply over meanwhile.
        .where(
            Reply.id == reply.id,
            Reply.status == ReplyStatus.SENDING,
            Reply.attempts == reply.attempts,
        )
        .values(
            status=outcome.status,
            errcode=outcome.errcode,
            errmsg=outcome.errmsg,
            rid=outcome.rid,
        )
        .returning(Reply.id)
    )
    if outcome.window is WindowVerdict.USED and marked is not None:
        await _charge(session, reply, tried_at)
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


async def requeue_held(session: AsyncSession, now: datetime) -> int:
    """Requeue up to SWEEP_LIMIT held replies whose send window has reopened; return how many.

    A reply that WeChat refused for another reason waits for the follower's next action.
    """
    # The inbox requeues replies when a window opens. This finds those that became held at the same
    # moment.
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


async def urgent_callbacks(session: AsyncSession, now: datetime) -> Sequence[UUID]:
    """Return up to SWEEP_LIMIT callbacks with replies that wait and expire within URGENT_WITHIN."""
    found = await session.scalars(
        select(Reply.callback_id)
        .where(
            Reply.status.in_(OPEN_STATUSES),
            Reply.status != ReplyStatus.HELD,
            Reply.expires_at > now,
            Reply.expires_at <= now + URGENT_WITHIN,
            Reply.created_at < now - URGENT_AFTER,
        )
        .group_by(Reply.callback_id)
        .order_by(func.min(Reply.expires_at))
        .limit(SWEEP_LIMIT)
    )
    return found.all()


async def callbacks_without_job(session: AsyncSession, now: datetime) -> Sequence[UUID]:
    """Return up to SWEEP_LIMIT callbacks with pending replies older than SWEEP_AFTER.

    Those that expire first come first.
    """
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
