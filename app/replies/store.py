"""SQL of queued replies."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import Row, and_, exists, func, or_, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.replies import ledger, message_window
from app.replies.expire import SWEEP_LIMIT, expiry_reason
from app.replies.jobs import URGENT_WITHIN
from app.replies.models import OPEN_STATUSES, Reply, ReplyAttempt, ReplyStatus, SendWindow
from app.replies.retry_policy import UNKNOWN, WINDOW_CLOSED, SendOutcome, WindowVerdict
from app.replies.send_windows import Limits

# Rows to lock are chosen in a CTE, which runs once. A subquery may run again and skip the rows that
# it has locked itself.
# Younger replies are left to the job that was enqueued with them.
SWEEP_AFTER = timedelta(seconds=60)
URGENT_AFTER = timedelta(seconds=3)

OUTCOME_UNKNOWN = f"{UNKNOWN}: the worker that was sending recorded no result"
MOST_UNCERTAIN: Final = {"resend_once": 1, "hold": 0}
"""How many attempts may end with an unknown outcome before a reply is not sent again."""

_TO_SEND = (ReplyStatus.PENDING, ReplyStatus.SENDING)


async def note_pause(session: AsyncSession, reply_id: UUID, outcome: SendOutcome) -> None:
    """Write why a reply waits that no worker has tried to send."""
    await session.execute(
        update(Reply)
        .where(Reply.id == reply_id, Reply.errmsg.is_(None), Reply.status == ReplyStatus.PENDING)
        .values(errcode=outcome.errcode, errmsg=outcome.errmsg, rid=outcome.rid)
    )


@dataclass(frozen=True, slots=True)
class Interrupted:
    """An attempt that began to send a reply and recorded no result.

    worker, began_at: None if the attempt is not on record.
    """

    number: int
    worker: str | None
    began_at: datetime | None


async def interrupted_attempt(session: AsyncSession, reply_id: UUID) -> Interrupted | None:
    """Return the attempt that is sending a reply, or was cut off; None if there is none."""
    attempt = and_(ReplyAttempt.reply_id == Reply.id, ReplyAttempt.number == Reply.attempts)
    found = await session.execute(
        select(Reply.attempts, ReplyAttempt.worker, ReplyAttempt.began_at)
        .outerjoin(ReplyAttempt, attempt)
        .where(Reply.id == reply_id, Reply.status == ReplyStatus.SENDING)
    )
    row = found.one_or_none()
    return None if row is None else Interrupted(*row)


async def claim(
    session: AsyncSession,
    reply_id: UUID,
    now: datetime,
    limits: Limits,
    *,
    interrupted: int | None = None,
    may_have_arrived: bool = False,
    most_uncertain: int = MOST_UNCERTAIN["resend_once"],
) -> Reply | None:
    """Mark a reply as being sent and return it; None if another attempt sends it, or if it ended.

    A send is reserved for it. interrupted: the attempt that is taken over. may_have_arrived:
    whether it may have reached WeChat; it counts as a send then. A reply that another attempt is
    sending is left to it. A reply that is overdue is returned as expired, or as failed with an
    unknown outcome if an attempt had begun, and so is one with more than `most_uncertain` attempts
    of an unknown outcome; one for which no send can be reserved, as held. Locks its row.
    """
    # A reply that stays `sending` belongs to a worker that died.
    reply = await session.scalar(
        select(Reply).where(Reply.id == reply_id, Reply.status.in_(_TO_SEND)).with_for_update()
    )
    if reply is None:
        return None
    begun = reply.status is ReplyStatus.SENDING
    if begun and reply.attempts != interrupted:
        return None
    if may_have_arrived:
        await _keep_reservation(session, reply, now, limits)
        reply.uncertain_attempts += 1
    is_overdue = reply.expires_at is not None and reply.expires_at <= now
    if is_overdue or (may_have_arrived and reply.uncertain_attempts > most_uncertain):
        if begun:
            reply.status, reply.errmsg = ReplyStatus.FAILED, OUTCOME_UNKNOWN
        else:
            reply.status, reply.errmsg = ReplyStatus.EXPIRED, expiry_reason(reply, now)
        return reply
    # Nothing was sent after a claim of this process that failed; its reservation serves again.
    reserved = begun and reply.reserved_trigger is not None
    refusal = None if reserved else await ledger.reserve(session, reply, now, limits)
    if refusal is not None:
        reply.status = ReplyStatus.HELD
        reply.errmsg = reply.errmsg or refusal
        return reply
    reply.status = ReplyStatus.SENDING
    reply.attempts += 1
    return reply


async def _keep_reservation(
    session: AsyncSession, reply: Reply, now: datetime, limits: Limits
) -> None:
    """Leave the send of an attempt that may have arrived used, so that the next one takes another.

    A worker of an older version has reserved none.
    """
    if reply.reserved_trigger is None:
        await ledger.charge(session, reply, now, limits)
    reply.reserved_trigger = reply.reserved_at = None


async def mark_unsent(
    session: AsyncSession,
    reply: Reply,
    outcome: SendOutcome,
    *,
    tried_at: datetime,
    limits: Limits,
) -> None:
    """Record a failed attempt, once, and settle its reservation.

    If WeChat says that the send window is closed, it is closed. The reservation of an attempt that
    WeChat may have counted is used; that of another one is given back.
    """
    may_count = outcome.window is WindowVerdict.USED
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
            uncertain_attempts=Reply.uncertain_attempts + int(may_count),
            reserved_trigger=None,
            reserved_at=None,
        )
        .returning(Reply.id)
    )
    if outcome.window is WindowVerdict.CLOSED:
        await ledger.close(session, reply, tried_at, limits)
    elif marked is not None and not may_count:
        await ledger.give_back(session, reply, limits)


async def requeue_held_of(
    session: AsyncSession, reply: Reply, now: datetime, limits: Limits
) -> Sequence[UUID]:
    """Requeue replies to the follower of `reply` that yielded to it; return their callbacks.

    No more than there are sends left beyond those for pending ones, and those of the rules with the
    highest priority first.
    """
    is_held = exists().where(
        Reply.appid == reply.appid,
        Reply.openid == reply.openid,
        Reply.status == ReplyStatus.HELD,
    )
    if not await session.scalar(select(is_held)):
        return []
    left = await ledger.sends_left(session, reply, now, limits)
    found = await session.scalars(
        _REQUEUE_HELD_OF, {"appid": reply.appid, "openid": reply.openid, "now": now, "left": left}
    )
    return found.all()


async def requeue_held(session: AsyncSession, now: datetime, limits: Limits) -> int:
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
            or_(
                exists()
                .where(SendWindow.appid == Reply.appid, SendWindow.openid == Reply.openid)
                .where(SendWindow.sends_left > 0, SendWindow.expires_at > now),
                message_window.is_open(now, limits),
            )
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


async def urgent_callbacks(session: AsyncSession, now: datetime) -> Sequence[Row[UUID, str]]:
    """Return up to SWEEP_LIMIT callbacks, and their accounts, whose replies wait and expire soon.

    That is within URGENT_WITHIN.
    """
    found = await session.execute(
        select(Reply.callback_id, Reply.appid)
        .where(
            Reply.status.in_(OPEN_STATUSES),
            Reply.status != ReplyStatus.HELD,
            Reply.expires_at > now,
            Reply.expires_at <= now + URGENT_WITHIN,
            Reply.created_at < now - URGENT_AFTER,
        )
        .group_by(Reply.callback_id, Reply.appid)
        .order_by(func.min(Reply.expires_at))
        .limit(SWEEP_LIMIT)
    )
    return found.all()


async def callbacks_without_job(session: AsyncSession, now: datetime) -> Sequence[Row[UUID, str]]:
    """Return up to SWEEP_LIMIT callbacks with pending replies older than SWEEP_AFTER.

    With their accounts. Those that expire first come first.
    """
    found = await session.execute(
        select(Reply.callback_id, Reply.appid)
        .where(Reply.status.in_(_TO_SEND), Reply.created_at < now - SWEEP_AFTER)
        .group_by(Reply.callback_id, Reply.appid)
        .order_by(func.min(Reply.expires_at))
        .limit(SWEEP_LIMIT)
    )
    return found.all()


_NOT_REFUSED: Final = f"""
r.appid = :appid AND r.openid = :openid AND r.expires_at > :now
AND (r.errcode IS NULL OR r.errcode IN ({", ".join(map(str, sorted(WINDOW_CLOSED)))}))
"""

_REQUEUE_HELD_OF: Final = text(f"""
UPDATE replies SET status = 'pending' WHERE id = ANY(ARRAY(
    SELECT r.id FROM replies r LEFT JOIN rules ON rules.id = r.rule_id
    WHERE {_NOT_REFUSED} AND r.status = 'held'
    ORDER BY rules.priority DESC NULLS LAST, r.id
    LIMIT GREATEST(0, :left - (
        SELECT count(*) FROM replies r WHERE {_NOT_REFUSED} AND r.status = 'pending'
    ))
    FOR UPDATE OF r SKIP LOCKED
))
RETURNING callback_id
""")  # noqa: S608 - constants of this module
