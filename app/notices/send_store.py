"""SQL of sends: how fast they go on, why they wait, and their end."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.queue import enqueue
from app.notices.jobs import send_job
from app.notices.models import NoticeKind, NoticeSend, SendSource, SendState
from app.notices.retry_policy import NoticeOutcome
from app.wechat_client.pauses import next_midnight

# What a send may catch up at once after a pause of its job.
BURST_SECONDS: Final = 5
SWEEP_LIMIT: Final = 1000


@dataclass(frozen=True, slots=True)
class RunningSend:
    """What the job needs to know of a send. is_queued: whether all its notices stand in a row."""

    id: UUID
    source: SendSource
    kind: NoticeKind
    appid: str
    template_id: str
    is_one_time: bool
    content: dict[str, Any]
    state: SendState
    is_queued: bool
    wait_until: datetime | None
    total: int
    campaign_id: UUID | None
    quota_checked_at: datetime | None


async def read(session: AsyncSession, send_id: UUID) -> RunningSend | None:
    """Return a send that is not over; None if it is, or does not exist."""
    row = await session.scalar(
        select(NoticeSend).where(NoticeSend.id == send_id, NoticeSend.ended_at.is_(None))
    )
    if row is None:
        return None
    return RunningSend(
        row.id,
        row.source,
        row.kind,
        row.appid,
        row.template_id,
        row.is_one_time,
        row.content,
        row.state,
        row.queued_at is not None,
        row.wait_until,
        row.total,
        row.campaign_id,
        row.quota_checked_at,
    )


async def locked(session: AsyncSession, send_id: UUID) -> NoticeSend | None:
    """Return a send with its row locked."""
    return await session.get(NoticeSend, send_id, with_for_update=True, populate_existing=True)


async def take_turn(session: AsyncSession, send_id: UUID, now: datetime) -> int:
    """Return how many notices may be sent now by the rate, and count them as sent.

    A second job of the same send, such as one that was taken for dead, shares the rate with it.
    """
    send = await locked(session, send_id)
    if send is None or send.state is not SendState.RUNNING:
        return 0
    seconds = 1.0 if send.spent_at is None else (now - send.spent_at).total_seconds()
    allowed = max(int(min(seconds, BURST_SECONDS) * send.rate), 0)
    if allowed > 0:
        send.spent_at = now
    if send.quota_room is not None:
        allowed = min(allowed, send.quota_room)
        send.quota_room -= allowed
    return allowed


async def note_quota(session: AsyncSession, send_id: UUID, room: int | None, now: datetime) -> None:
    """Note how many notices a send may still send today. room: None if WeChat does not say."""
    send = await locked(session, send_id)
    if send is None:
        return
    send.quota_checked_at, send.quota_room = now, room
    if room == 0:
        send.wait_until = next_midnight(now)


async def wait(session: AsyncSession, send_id: UUID, until: datetime) -> None:
    """Let no notice of a send be sent before `until`."""
    send = await locked(session, send_id)
    if send is not None:
        send.wait_until = until


async def pause_refused(session: AsyncSession, send_id: UUID, outcome: NoticeOutcome) -> bool:
    """Pause a running send, none of whose notices can be sent; return whether it ran."""
    send = await locked(session, send_id)
    if send is None or send.state is not SendState.RUNNING:
        return False
    send.state = SendState.PAUSED
    send.errcode, send.errmsg, send.rid = outcome.errcode, outcome.errmsg, outcome.rid
    return True


async def finish(session: AsyncSession, send_id: UUID, now: datetime) -> bool:
    """End a send none of whose notices waits any more; a stopped one stays stopped.

    Returns False if it goes on, since not all its notices are queued.
    """
    send = await locked(session, send_id)
    if send is None or send.ended_at is not None or send.state is SendState.PAUSED:
        return True
    if send.state is SendState.RUNNING:
        if send.queued_at is None:
            return False
        send.state = SendState.DONE
    send.ended_at = now
    forget_listed(send)
    return True


def forget_listed(send: NoticeSend) -> None:
    """Forget which people the filter of a send named; they are not needed any more."""
    if send.audience is not None:
        send.audience = {name: one for name, one in send.audience.items() if name != "unionids"}


async def enqueue_missing(session: AsyncSession) -> None:
    """Enqueue the job of every send that goes on or has to be wound up, if it has none."""
    found = await session.execute(
        select(NoticeSend.id, NoticeSend.source)
        .where(NoticeSend.ended_at.is_(None), NoticeSend.state != SendState.PAUSED)
        .order_by(NoticeSend.id)
        .limit(SWEEP_LIMIT)
    )
    await enqueue(session, [send_job(row.id, row.source) for row in found])


async def progress(session: AsyncSession, send_id: UUID) -> dict[str, int]:
    """Return how many notices of a send have each status."""
    found = await session.execute(_PROGRESS, {"send_id": send_id})
    return {row.status: row.number for row in found}


_PROGRESS: Final = text("""
SELECT status, count(*) AS number FROM notices WHERE send_id = :send_id GROUP BY status
""")
