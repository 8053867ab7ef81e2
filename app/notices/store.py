"""SQL of notices: they are claimed, and what came of each call is recorded."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Select, select, text, true
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from app.notices import ledger
from app.notices.models import Notice, NoticeKind, NoticeStatus
from app.notices.retry_policy import ConsentVerdict, NoticeOutcome, cut_off

# Longer than any call with a renewed access token takes, and than the wait for the database.
LEASE: Final = timedelta(minutes=5)
SWEEP_LIMIT: Final = 1000
CUT_OFF: Final = "outcome unknown: the worker that was sending recorded no result"


@dataclass(frozen=True, slots=True)
class Claim:
    """A notice that is being sent. has_consent: False if there is none; it is over then.

    content: its own, None if it has that of its send.
    """

    id: UUID
    send_id: UUID
    appid: str
    openid: str
    template_id: str
    kind: NoticeKind
    content: dict[str, Any] | None
    attempts: int
    first_at: datetime
    tried_at: datetime
    holds_consent: bool
    has_consent: bool = True


async def claim(
    session: AsyncSession, send_id: UUID, *, is_one_time: bool, now: datetime
) -> Claim | None:
    """Take one notice of a running send that is due, and reserve its consent; None if none is."""
    row = (await session.execute(_CLAIM, {"send_id": send_id, "now": now})).one_or_none()
    if row is None:
        return None
    has_consent = True
    if is_one_time:
        has_consent = await ledger.reserve(session, row.appid, row.openid, row.template_id)
        if has_consent:
            await session.execute(_HOLD, {"id": row.id})
    elif row.kind == NoticeKind.SUBSCRIPTION:
        has_consent = not await ledger.is_off(session, row.appid, row.openid, row.template_id)
    if not has_consent:
        await session.execute(_WITHOUT_CONSENT, {"id": row.id, "errmsg": ledger.NO_CONSENT})
    return Claim(
        row.id,
        send_id,
        row.appid,
        row.openid,
        row.template_id,
        NoticeKind(row.kind),
        row.content,
        row.attempts,
        row.first_at,
        row.tried_at,
        holds_consent=is_one_time and has_consent,
        has_consent=has_consent,
    )


async def mark_sent(session: AsyncSession, claim: Claim, msgid: str | None) -> None:
    """Record that WeChat has taken a notice. The report of its delivery may have come before."""
    await session.execute(_SENT, {"id": claim.id, "attempts": claim.attempts, "msgid": msgid})


async def mark_unsent(
    session: AsyncSession, claim: Claim, outcome: NoticeOutcome, now: datetime
) -> None:
    """Record a call that failed, once, and settle the reserved consent."""
    keeps = outcome.consent is ConsentVerdict.KEPT
    marked = await session.scalar(
        _UNSENT,
        {
            "id": claim.id,
            "attempts": claim.attempts,
            "left": claim.attempts if outcome.counts else claim.attempts - 1,
            "status": outcome.status.value,
            "errcode": outcome.errcode,
            "errmsg": outcome.errmsg,
            "rid": outcome.rid,
            "next_at": now + outcome.retry_in,
            "holds": claim.holds_consent and keeps,
        },
    )
    if marked is None or not claim.holds_consent or keeps:
        return
    key = (claim.appid, claim.openid, claim.template_id)
    await ledger.give_back(session, *key)
    if outcome.consent is ConsentVerdict.USED_UP:
        await ledger.use_up(session, *key, tried_at=claim.tried_at)


async def end_cut_off(session: AsyncSession, now: datetime) -> int:
    """End up to SWEEP_LIMIT notices whose worker died while it was sending; return how many.

    They may have arrived. A template message is sent again while WeChat would not send it twice; a
    subscription notice keeps its consent until the report of its delivery comes.
    """
    found = await session.scalars(
        select(Notice)
        .where(Notice.status == NoticeStatus.SENDING, Notice.tried_at < now - LEASE)
        .order_by(Notice.tried_at)
        .limit(SWEEP_LIMIT)
        .with_for_update(skip_locked=True)
    )
    rows = found.all()
    for notice in rows:
        notice.status = cut_off(notice.kind, notice.first_at or now, now)
        notice.errmsg, notice.next_at = CUT_OFF, now
    return len(rows)


async def skip_pending(session: AsyncSession, send_id: UUID, reason: str, limit: int) -> int:
    """Skip up to `limit` notices of a send that are not sent yet; return how many."""
    found = await session.execute(_SKIP, {"send_id": send_id, "errmsg": reason, "limit": limit})
    return len(found.all())


async def next_due(session: AsyncSession, send_id: UUID) -> tuple[datetime | None, bool]:
    """Return when the next notice of a send is due, and whether one is being sent now.

    None if none waits. Both come from one statement: between two, another worker could put back
    the notice that it was sending, and neither would see it.
    """
    row = (await session.execute(_NEXT, {"send_id": send_id})).one()
    return row.due, row.is_sending


async def of_send(
    session: AsyncSession,
    send_id: UUID,
    *,
    status: NoticeStatus | None,
    before: UUID | None,
    limit: int,
) -> Sequence[Notice]:
    """Return notices of a send, the newest first: by one probe of an index for each status."""
    statuses = [status] if status is not None else list(NoticeStatus)
    pages = [
        _page(select(Notice).where(Notice.send_id == send_id), before, limit)
        .where(Notice.status == one)
        .subquery()
        for one in statuses
    ]
    merged = select(pages[0]).union_all(*(select(page) for page in pages[1:])).subquery()
    row = aliased(Notice, merged)
    return (await session.scalars(select(row).order_by(row.id.desc()).limit(limit))).all()


async def of_person(
    session: AsyncSession, appid: str, openid: str, *, before: UUID | None, limit: int
) -> Sequence[Notice]:
    """Return notices to one person at one account, the newest first."""
    query = select(Notice).where(Notice.appid == appid, Notice.openid == openid)
    return (await session.scalars(_page(query, before, limit))).all()


def _page(query: Select[Notice], before: UUID | None, limit: int) -> Select[Notice]:
    older = true() if before is None else Notice.id < before
    return query.where(older).order_by(Notice.id.desc()).limit(limit)


# A send that was paused or stopped meanwhile has no more notices to take.
_CLAIM: Final = text("""
UPDATE notices SET status = 'sending', attempts = attempts + 1, tried_at = :now,
    first_at = COALESCE(first_at, :now)
WHERE id = (
    SELECT n.id FROM notices n
    WHERE n.send_id = :send_id AND n.status = 'pending' AND n.next_at <= :now
      AND EXISTS (SELECT FROM notice_sends s WHERE s.id = :send_id AND s.state = 'running')
    ORDER BY n.next_at LIMIT 1 FOR UPDATE SKIP LOCKED
)
RETURNING id, appid, openid, template_id, kind, content, attempts, first_at, tried_at
""")

_HOLD: Final = text("UPDATE notices SET holds_consent = true WHERE id = :id")

_WITHOUT_CONSENT: Final = text("""
UPDATE notices SET status = 'skipped', attempts = attempts - 1, errmsg = :errmsg WHERE id = :id
""")

_SENT: Final = text("""
UPDATE notices SET msgid = COALESCE(msgid, :msgid), errcode = NULL, errmsg = NULL, rid = NULL,
    status = CASE WHEN status IN ('sending', 'unknown') THEN 'sent' ELSE status END
WHERE id = :id AND attempts = :attempts
  AND status IN ('sending', 'unknown', 'delivered', 'undelivered')
""")

_UNSENT: Final = text("""
UPDATE notices SET status = :status, attempts = :left, errcode = CAST(:errcode AS bigint),
    errmsg = :errmsg, rid = :rid, next_at = :next_at, holds_consent = :holds
WHERE id = :id AND attempts = :attempts AND status IN ('sending', 'unknown')
RETURNING 1
""")

_SKIP: Final = text("""
UPDATE notices SET status = 'skipped', errmsg = :errmsg WHERE id = ANY(ARRAY(
    SELECT id FROM notices WHERE send_id = :send_id AND status = 'pending'
    LIMIT :limit FOR UPDATE SKIP LOCKED
))
RETURNING 1
""")

_NEXT: Final = text("""
SELECT (
    SELECT next_at FROM notices WHERE send_id = :send_id AND status = 'pending'
    ORDER BY next_at LIMIT 1
) AS due,
EXISTS (SELECT FROM notices WHERE send_id = :send_id AND status = 'sending') AS is_sending
""")
