"""SQL of `/api/chart-notes`. The audit log has each change of a note."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from app.access import audit, audit_values
from app.access.actions import Action
from app.access.actor import Actor, Subject, SubjectKind
from app.chart_notes.errors import TooManyNotes
from app.chart_notes.models import ChartNote
from app.chart_notes.schemas import ChartNoteIn

MAX_NOTES: Final = 10_000


async def page(
    session: AsyncSession, *, before: UUID | None, limit: int, appid: str | None = None
) -> Sequence[ChartNote]:
    """Return notes, the newest first. before: the id of the last note of the page before.

    appid: of this account and of all accounts; None: every note.
    """
    query = select(ChartNote).order_by(ChartNote.id.desc()).limit(limit)
    if before is not None:
        query = query.where(ChartNote.id < before)
    if appid is not None:
        query = query.where((ChartNote.appid == appid) | ChartNote.appid.is_(None))
    return (await session.scalars(query)).all()


async def add(session: AsyncSession, actor: Actor, note: ChartNoteIn, now: datetime) -> ChartNote:
    """Add a note. Raises TooManyNotes."""
    # Two at once may both be let in: the bound is there for programs that add without end.
    count = await session.scalar(select(func.count()).select_from(ChartNote))
    if (count or 0) >= MAX_NOTES:
        raise TooManyNotes(MAX_NOTES)
    row = ChartNote(
        id=uuid7(),
        appid=note.appid,
        day=note.day,
        at=note.at,
        text=note.text,
        actor_kind=actor.kind,
        actor_name=actor.name,
        created_at=now,
        updated_at=now,
    )
    session.add(row)
    await session.flush()
    after = audit_values.shown(_members(row))
    await audit.record(
        session, actor, Action.CHART_NOTE_ADDED, _subject(row.id), now=now, after=after
    )
    return row


async def locked(session: AsyncSession, note_id: UUID) -> ChartNote | None:
    """Return a note, which nobody else can change until the transaction ends."""
    return await session.get(ChartNote, note_id, with_for_update=True)


async def replace(
    session: AsyncSession, actor: Actor, row: ChartNote, note: ChartNoteIn, now: datetime
) -> None:
    """Give a note another text, time or account."""
    members = _members(row)
    row.appid, row.day, row.at, row.text = note.appid, note.day, note.at, note.text
    row.actor_kind, row.actor_name, row.updated_at = actor.kind, actor.name, now
    before, after = audit_values.difference(members, _members(row))
    await audit.record(
        session,
        actor,
        Action.CHART_NOTE_CHANGED,
        _subject(row.id),
        now=now,
        before=before,
        after=after,
    )


async def remove(session: AsyncSession, actor: Actor, note_id: UUID, now: datetime) -> bool:
    """Delete a note; return whether there was one."""
    gone = await session.scalar(
        delete(ChartNote).where(ChartNote.id == note_id).returning(ChartNote)
    )
    if gone is None:
        return False
    before = audit_values.shown(_members(gone))
    await audit.record(
        session, actor, Action.CHART_NOTE_DELETED, _subject(note_id), now=now, before=before
    )
    return True


def _members(row: ChartNote) -> audit_values.Members:
    """Return what the audit log shows of a note."""
    return {"appid": row.appid, "day": row.day, "at": row.at, "text": row.text}


def _subject(note_id: UUID) -> Subject:
    return Subject(SubjectKind.CHART_NOTE, str(note_id))
