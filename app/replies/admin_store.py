"""SQL of `/api/replies`: lists replies and queues one again."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.access import audit
from app.access.actions import Action
from app.access.actor import Actor, Subject, SubjectKind
from app.db.queue import enqueue
from app.replies import passive_store
from app.replies.jobs import deliver_job
from app.replies.models import Reply, ReplyStatus, Via

RETRYABLE = frozenset({ReplyStatus.FAILED, ReplyStatus.HELD, ReplyStatus.SKIPPED})


@dataclass(frozen=True, slots=True)
class ReplyQuery:
    """Which replies to list. before: last id of the page before. limit: at most so many."""

    before: UUID | None
    limit: int
    status: ReplyStatus | None = None
    appid: str | None = None
    openid: str | None = None


async def page(session: AsyncSession, query: ReplyQuery) -> Sequence[Reply]:
    """Return replies by id, the newest first."""
    stored = await _stored(session, query)
    if query.status not in {None, ReplyStatus.SENT}:
        return stored
    passive = await passive_store.page(
        session, before=query.before, limit=query.limit, appid=query.appid, openid=query.openid
    )
    both = sorted([*stored, *passive], key=lambda reply: reply.id, reverse=True)
    return both[: query.limit]


async def _stored(session: AsyncSession, query: ReplyQuery) -> Sequence[Reply]:
    """Return those that have a row in `replies`."""
    statement = select(Reply).order_by(Reply.id.desc()).limit(query.limit)
    if query.before is not None:
        statement = statement.where(Reply.id < query.before)
    if query.status is not None:
        statement = statement.where(Reply.status == query.status)
    if query.appid is not None:
        statement = statement.where(Reply.appid == query.appid)
    if query.openid is not None:
        statement = statement.where(Reply.openid == query.openid)
    return (await session.scalars(statement)).all()


async def of_callback(
    session: AsyncSession, callback_id: UUID, appid: str, openid: str
) -> Sequence[Reply]:
    """Return the replies to one push in the order of the rule. appid, openid: of the push."""
    # No index has the rows of all replies of a callback; those of a follower are few.
    found = await session.scalars(
        select(Reply)
        .where(Reply.callback_id == callback_id, Reply.appid == appid, Reply.openid == openid)
        .order_by(Reply.position)
    )
    passive = await passive_store.of_callback(session, callback_id)
    return sorted([*found, *([passive] if passive else [])], key=lambda reply: reply.position)


async def of_id(session: AsyncSession, reply_id: UUID) -> Reply | None:
    """Return one reply."""
    found = await session.get(Reply, reply_id)
    return found or await passive_store.of_id(session, reply_id)


async def send_again(
    session: AsyncSession, actor: Actor, reply_id: UUID, now: datetime
) -> Reply | None:
    """Queue an unsent reply again and return it. If it can't be sent again, it is not changed.

    Returns None if the id does not exist. Locks the reply's row.
    """
    reply = await session.get(Reply, reply_id, with_for_update=True)
    if reply is None:
        return await passive_store.of_id(session, reply_id)
    if not may_be_sent_again(reply, now):
        return reply
    before = reply.status
    await queue_again(session, reply)
    subject = Subject(SubjectKind.REPLY, str(reply_id))
    await audit.record(
        session, actor, Action.REPLY_RETRIED, subject, now=now, before=before, after=reply.status
    )
    return reply


async def queue_again(session: AsyncSession, reply: Reply, *, in_bulk: bool = False) -> None:
    """Queue a reply that may be sent again, and whose row is locked.

    in_bulk: it is one of many, and waits for replies to those who write now.
    """
    reply.status = ReplyStatus.PENDING
    await session.flush()
    await enqueue(session, [deliver_job(reply.callback_id, in_bulk=in_bulk)])


def may_be_sent_again(reply: Reply, now: datetime) -> bool:
    """Return whether a reply was queued, is unsent, and its send window has not ended."""
    return (
        reply.via is Via.CUSTOMER_SERVICE
        and reply.status in RETRYABLE
        and reply.expires_at is not None
        and reply.expires_at > now
    )
