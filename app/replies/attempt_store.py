"""SQL of the attempts to send replies."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import groupby
from uuid import UUID

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.replies.models import Reply, ReplyAttempt
from app.replies.retry_policy import SendOutcome

# A reply that is tried for two days has fewer.
MAX_ATTEMPTS = 500


async def begin(session: AsyncSession, reply: Reply, *, worker: str, now: datetime) -> None:
    """Note that an attempt begins. Its number is `attempts` of the reply."""
    await session.execute(
        insert(ReplyAttempt).values(
            reply_id=reply.id, number=reply.attempts, began_at=now, worker=worker
        )
    )


async def end(session: AsyncSession, reply: Reply, outcome: SendOutcome, *, now: datetime) -> None:
    """Note how an attempt ended that did not send the message."""
    await session.execute(
        update(ReplyAttempt)
        .where(
            ReplyAttempt.reply_id == reply.id,
            ReplyAttempt.number == reply.attempts,
            ReplyAttempt.ended_at.is_(None),
        )
        .values(
            ended_at=now,
            status=outcome.status,
            errcode=outcome.errcode,
            errmsg=outcome.errmsg,
            rid=outcome.rid,
        )
    )


async def of_replies(
    session: AsyncSession, reply_ids: Sequence[UUID]
) -> Mapping[UUID, Sequence[ReplyAttempt]]:
    """Return the attempts of these replies, the last one first, MAX_ATTEMPTS at most."""
    found = await session.scalars(
        select(ReplyAttempt)
        .where(ReplyAttempt.reply_id.in_(reply_ids))
        .order_by(ReplyAttempt.reply_id, ReplyAttempt.number.desc())
        .limit(MAX_ATTEMPTS)
    )
    groups = groupby(found.all(), key=lambda attempt: attempt.reply_id)
    return {reply_id: list(attempts) for reply_id, attempts in groups}
