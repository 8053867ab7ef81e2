"""SQL of `/api/replies`: lists replies and queues one again."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.access import audit
from app.access.actions import Action
from app.access.actor import Actor, Subject, SubjectKind
from app.db.queue import enqueue
from app.first_id import first_id
from app.replies import passive_store
from app.replies.jobs import deliver_job
from app.replies.models import Reply, ReplyStatus, Via
from app.replies.reply_filter import filter_replies

# A filter that no index serves looks at so many replies for one page.
MAX_SEARCHED: Final = 100_000
# An id begins with the CreateTime of the push, `created_at` is its arrival.
CLOCK_SLACK: Final = timedelta(days=1)

_FIRST: Final = UUID(int=0)
_BEYOND: Final = UUID(int=(1 << 128) - 1)

RETRYABLE = frozenset({ReplyStatus.FAILED, ReplyStatus.HELD, ReplyStatus.SKIPPED})


@dataclass(frozen=True, slots=True)
class ReplyQuery:
    """Which replies to list; None: any. before: `next` of the page before. limit: at most so many.

    since, until: of `created_at`; until is not included.
    """

    before: UUID | None
    limit: int
    status: ReplyStatus | None = None
    appid: str | None = None
    openid: str | None = None
    rule_id: int | None = None
    errcode: int | None = None
    msgtype: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    @property
    def searches(self) -> bool:
        """Whether each reply has to be looked at, since no index finds those that fit."""
        wanted = (self.appid, self.rule_id, self.errcode, self.msgtype)
        return any(one is not None for one in wanted) and None in {self.appid, self.openid}

    @property
    def has_passive(self) -> bool:
        """Whether passive replies with their push may fit: they are sent, and have no errcode."""
        return self.status in {None, ReplyStatus.SENT} and self.errcode is None


@dataclass(frozen=True, slots=True)
class FoundReplies:
    """Replies, the newest first. next: the cursor of the next page; None after the last one."""

    rows: Sequence[Reply]
    next: UUID | None


async def page(session: AsyncSession, query: ReplyQuery) -> FoundReplies:
    """Return replies by id.

    A filter that no index serves looks at MAX_SEARCHED replies of each kind: then the page may have
    fewer than there are, and the next one goes on from there.
    """
    upper, lower = _id_range(query)
    bound: UUID | None = None
    if query.searches:
        bound = await _search_bound(session, query, upper)
    lower = max(lower, bound or lower)
    found = list(await _stored(session, query, upper, lower))
    if query.has_passive:
        found += await passive_store.page(
            session,
            upper=upper,
            lower=lower,
            limit=query.limit + 1,
            filters=passive_store.Filters(
                query.appid, query.openid, query.rule_id, query.msgtype, query.since, query.until
            ),
        )
    rows = sorted(found, key=lambda reply: reply.id, reverse=True)
    if len(rows) > query.limit:
        return FoundReplies(rows[: query.limit], rows[query.limit - 1].id)
    return FoundReplies(rows, bound)


def _id_range(query: ReplyQuery) -> tuple[UUID, UUID]:
    """Return the ids between which the wanted ones lie; the first one is not included."""
    upper = query.before or _BEYOND
    if query.until is not None:
        upper = min(upper, first_id(query.until + CLOCK_SLACK))
    lower = _FIRST if query.since is None else first_id(query.since - CLOCK_SLACK)
    return upper, lower


async def _search_bound(session: AsyncSession, query: ReplyQuery, upper: UUID) -> UUID | None:
    """Return the id down to which MAX_SEARCHED replies of a kind lie; None if there are fewer."""
    beyond = {"upper": upper, "offset": MAX_SEARCHED - 1}
    bounds = [await session.scalar(_BOUND, beyond)]
    if query.has_passive:
        bounds.append(await passive_store.search_bound(session, beyond))
    return max((bound for bound in bounds if bound is not None), default=None)


async def _stored(
    session: AsyncSession, query: ReplyQuery, upper: UUID, lower: UUID
) -> Sequence[Reply]:
    """Return those that have a row in `replies`."""
    statement = select(Reply).where(Reply.id < upper, Reply.id >= lower)
    if query.status is not None:
        statement = statement.where(Reply.status == query.status)
    statement = filter_replies(statement, query)
    found = await session.scalars(statement.order_by(Reply.id.desc()).limit(query.limit + 1))
    return found.all()


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
    await enqueue(session, [deliver_job(reply.callback_id, reply.appid, in_bulk=in_bulk)])


def may_be_sent_again(reply: Reply, now: datetime) -> bool:
    """Return whether a reply was queued, is unsent, and its send window has not ended."""
    return (
        reply.via is Via.CUSTOMER_SERVICE
        and reply.status in RETRYABLE
        and reply.expires_at is not None
        and reply.expires_at > now
    )


_BOUND: Final = text(
    "SELECT id FROM replies WHERE id < :upper ORDER BY id DESC OFFSET :offset LIMIT 1"
)
