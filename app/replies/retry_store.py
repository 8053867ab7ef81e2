"""SQL of retries of many replies, as the console and `/api` start and show them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, func, insert, or_, select, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.queue import enqueue
from app.first_id import first_id
from app.replies.admin_store import RETRYABLE
from app.replies.jobs import retry_job
from app.replies.models import Reply, ReplyRetry, ReplyRetryItem, ReplyStatus, RetryResult, Via
from app.replies.reply_filter import filter_replies
from app.replies.retry_policy import UNKNOWN

MAX_RETRIED: Final = 10_000
# No send window is longer than two days; an older reply can't be sent again.
RETRYABLE_FOR: Final = timedelta(days=8)


@dataclass(frozen=True, slots=True)
class RetryQuery:
    """Which replies to send again; None: any. since, until: of `created_at`; until not included.

    include_uncertain: also those with an unknown outcome.
    """

    status: ReplyStatus | None = None
    appid: str | None = None
    openid: str | None = None
    rule_id: int | None = None
    errcode: int | None = None
    msgtype: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    include_uncertain: bool = False


@dataclass(frozen=True, slots=True)
class RetryProgress:
    """How far a retry is. refused: of `done`, how many could not be sent again."""

    id: UUID
    operator: str
    created_at: datetime
    ended_at: datetime | None
    total: int
    done: int
    refused: int


@dataclass(frozen=True, slots=True)
class RetriedReply:
    """One reply of a retry. result: None until its turn. reply: None once retention removed it."""

    reply_id: UUID
    result: RetryResult | None
    reply: Reply | None


async def retryable(session: AsyncSession, query: RetryQuery, now: datetime) -> Sequence[UUID]:
    """Return up to MAX_RETRIED + 1 replies that can be sent again, the oldest first."""
    statement = select(Reply.id).where(
        Reply.via == Via.CUSTOMER_SERVICE,
        # The planner uses the partial index on the status for a literal alone.
        text("replies.status <> 'sent'"),
        Reply.status.in_(RETRYABLE if query.status is None else [query.status]),
        Reply.id >= first_id(now - RETRYABLE_FOR),
        Reply.expires_at > now,
        Reply.content != {},
    )
    statement = filter_replies(statement, query)
    if not query.include_uncertain:
        certain = or_(Reply.status != ReplyStatus.FAILED, ~_is_uncertain())
        statement = statement.where(certain)
    found = await session.scalars(statement.order_by(Reply.id).limit(MAX_RETRIED + 1))
    return found.all()


def _is_uncertain() -> ColumnElement[bool]:
    return func.coalesce(Reply.errmsg, "").startswith(UNKNOWN)


async def start(
    session: AsyncSession,
    retry_id: UUID,
    reply_ids: Sequence[UUID],
    *,
    operator: str,
    now: datetime,
) -> bool:
    """Write a retry down and enqueue its job. An id that exists already starts nothing: False."""
    added = await session.scalar(
        postgresql.insert(ReplyRetry)
        .values(id=retry_id, operator=operator, total=len(reply_ids), created_at=now, ended_at=None)
        .on_conflict_do_nothing()
        .returning(ReplyRetry.id)
    )
    if added is None:
        return False
    rows = [{"retry_id": retry_id, "reply_id": reply_id} for reply_id in reply_ids]
    if rows:
        await session.execute(insert(ReplyRetryItem), rows)
    await enqueue(session, [retry_job(retry_id)])
    return True


async def latest(session: AsyncSession, limit: int) -> Sequence[ReplyRetry]:
    """Return retries, the newest first."""
    found = await session.scalars(
        select(ReplyRetry).order_by(ReplyRetry.created_at.desc()).limit(limit)
    )
    return found.all()


async def progress(session: AsyncSession, retry_id: UUID) -> RetryProgress | None:
    """Return how far a retry is; None if it does not exist."""
    retry = await session.get(ReplyRetry, retry_id)
    if retry is None:
        return None
    counts = await session.execute(
        select(ReplyRetryItem.result, func.count())
        .where(ReplyRetryItem.retry_id == retry_id, ReplyRetryItem.result.is_not(None))
        .group_by(ReplyRetryItem.result)
    )
    by_result = {row[0]: row[1] for row in counts}
    return RetryProgress(
        retry.id,
        retry.operator,
        retry.created_at,
        retry.ended_at,
        retry.total,
        sum(by_result.values()),
        by_result.get(RetryResult.REFUSED, 0),
    )


async def results(
    session: AsyncSession, retry_id: UUID, *, before: UUID | None, limit: int
) -> Sequence[RetriedReply]:
    """Return replies of a retry, the newest first. before: the last id of the page before."""
    statement = (
        select(ReplyRetryItem.reply_id, ReplyRetryItem.result, Reply)
        .outerjoin(Reply, Reply.id == ReplyRetryItem.reply_id)
        .where(ReplyRetryItem.retry_id == retry_id)
        .order_by(ReplyRetryItem.reply_id.desc())
        .limit(limit)
    )
    if before is not None:
        statement = statement.where(ReplyRetryItem.reply_id < before)
    return [RetriedReply(*row) for row in await session.execute(statement)]
