"""Writes and reads the audit log."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Select, exists, func, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.access.actions import Action
from app.access.actor import Actor, Subject
from app.access.models import AuditEntry

MAX_VALUE_CHARACTERS: Final = 200
MAX_PAGE_ROWS: Final = 500
# Entries of one action among which the same of this hour is looked for.
MAX_LOOKED_AT: Final = 200

_COLUMNS: Final = AuditEntry.__table__.columns


@dataclass(frozen=True, slots=True)
class AuditRow:
    """One entry; see `AuditEntry`."""

    id: int
    occurred_at: datetime
    actor_kind: str
    actor_name: str
    address: str | None
    action: str
    subject_kind: str
    subject_id: str
    before: str | None
    after: str | None
    count: int | None


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Which entries to read; None: any. since and until: from then on, and before then."""

    actor_kind: str | None = None
    actor_name: str | None = None
    action: str | None = None
    subject_kind: str | None = None
    subject_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class AuditPage:
    """Entries, the newest first. next: the cursor of the next page; None after the last one."""

    rows: Sequence[AuditRow]
    next: int | None


async def record(
    session: AsyncSession,
    actor: Actor,
    action: Action,
    subject: Subject,
    *,
    now: datetime | None = None,
    before: str | int | None = None,
    after: str | int | None = None,
    count: int | None = None,
) -> None:
    """Add an entry, in the transaction of the change that it is about.

    now: None is the start of the transaction, by the clock of the database.
    before, after: a revision, a role or an id, or members as `audit_values` writes them; never a
    text of a message and never a secret.
    """
    await session.execute(
        insert(AuditEntry).values(
            occurred_at=func.now() if now is None else now,
            actor_kind=actor.kind,
            actor_name=actor.name,
            address=_bounded(actor.address),
            action=action,
            subject_kind=subject.kind,
            subject_id=_bounded(subject.id),
            before=_bounded(before),
            after=_bounded(after),
            count=count,
        )
    )


async def record_hourly(
    session: AsyncSession,
    actor: Actor,
    action: Action,
    subject: Subject,
    *,
    now: datetime,
    count: int | None = None,
) -> None:
    """Add an entry unless the actor did the same to the same from the same address in this hour.

    For what a program does all the time. Two at once may both be recorded.
    """
    latest = (
        select(AuditEntry)
        .where(AuditEntry.action == action)
        .order_by(AuditEntry.id.desc())
        .limit(MAX_LOOKED_AT)
        .subquery()
    )
    begun = now.replace(minute=0, second=0, microsecond=0)
    known = await session.scalar(
        select(
            exists().where(
                latest.c.occurred_at >= begun,
                latest.c.actor_kind == actor.kind,
                latest.c.actor_name == actor.name,
                latest.c.address.is_not_distinct_from(actor.address),
                latest.c.subject_kind == subject.kind,
                latest.c.subject_id == _bounded(subject.id),
            )
        )
    )
    if not known:
        await record(session, actor, action, subject, now=now, count=count)


async def read(
    session: AsyncSession, wanted: AuditFilter, *, cursor: int | None = None, limit: int = 100
) -> AuditPage:
    """Return entries, the newest first. cursor: `next` of the page before.

    Every page is read by an index; a filter by several columns reads along the most selective one.
    """
    limit = min(limit, MAX_PAGE_ROWS)
    statement = _filtered(wanted).order_by(AuditEntry.id.desc()).limit(limit + 1)
    if cursor is not None:
        statement = statement.where(AuditEntry.id < cursor)
    rows = [AuditRow(**row) for row in (await session.execute(statement)).mappings()]
    shown = rows[:limit]
    return AuditPage(shown, shown[-1].id if len(rows) > limit else None)


def _filtered(wanted: AuditFilter) -> Select[tuple[Any, ...]]:
    statement = select(*_COLUMNS)
    for name in ("actor_kind", "actor_name", "action", "subject_kind", "subject_id"):
        value = getattr(wanted, name)
        if value is not None:
            statement = statement.where(_COLUMNS[name] == value)
    if wanted.since is not None:
        statement = statement.where(AuditEntry.occurred_at >= wanted.since)
    if wanted.until is not None:
        statement = statement.where(AuditEntry.occurred_at < wanted.until)
    return statement


def _bounded(value: str | int | None) -> str | None:
    return None if value is None else str(value)[:MAX_VALUE_CHARACTERS]
