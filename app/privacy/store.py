"""SQL that opens erasures in the caller's transaction, lists them, and closes some by hand.

The row of an erasure and its job are added together.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

import asyncpg
import orjson
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.access import audit
from app.access.actions import Action
from app.access.actor import Actor, Subject, SubjectKind
from app.db.queue import NewJob, enqueue_on, raw_connection
from app.privacy.jobs import erase_job
from app.privacy.models import Erasure
from app.privacy.policy import BY_WECHAT, NewErasure

# Webhooks may keep an erasure waiting for a day.
OVERDUE_AFTER: Final = timedelta(days=2)

_INSERT = """
INSERT INTO erasures (id, trigger, detail, appid, requested_by, requested_at, until, subject,
                      scope, needs_person)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8::text::jsonb, $9, $10)
"""


async def open_on(connection: asyncpg.Connection, erasures: Sequence[NewErasure]) -> None:
    """Open erasures on a connection that is in a transaction."""
    if not erasures:
        return
    await connection.executemany(_INSERT, [_row(erasure) for erasure in erasures])
    known = [erasure for erasure in erasures if erasure.duty.needs_person is None]
    await enqueue_on(connection, [_job(erasure) for erasure in known])


def _job(erasure: NewErasure) -> NewJob:
    # An erasure that a callback asks for has the id of the callback.
    return erase_job(erasure.id, erasure.id if erasure.requested_by == BY_WECHAT else None)


async def open_erasure(session: AsyncSession, erasure: NewErasure) -> None:
    """Open one erasure in the session's transaction."""
    await open_on(await raw_connection(session), [erasure])


class ErasureState(StrEnum):
    """Where an erasure stands.

    open: a worker carries it out, or waits for webhooks. overdue: it is open for longer than
    OVERDUE_AFTER. needs_person: somebody has to find out who is meant. done: it is finished.
    """

    OPEN = "open"
    OVERDUE = "overdue"
    NEEDS_PERSON = "needs_person"
    DONE = "done"


def state_of(erasure: Erasure, now: datetime) -> ErasureState:
    """Return where an erasure stands."""
    if erasure.finished_at is not None:
        return ErasureState.DONE
    if erasure.needs_person is not None:
        return ErasureState.NEEDS_PERSON
    is_overdue = erasure.requested_at < now - OVERDUE_AFTER
    return ErasureState.OVERDUE if is_overdue else ErasureState.OPEN


@dataclass(frozen=True, slots=True)
class ErasureQuery:
    """Which erasures to list. before: last id of the page before. limit: at most so many.

    needs_person: only those that wait for a person. requested_before: only those that a worker has
    not finished, and that were requested before then.
    """

    before: UUID | None
    limit: int
    needs_person: bool = False
    requested_before: datetime | None = None


async def page(session: AsyncSession, query: ErasureQuery) -> Sequence[Erasure]:
    """Return erasures by id, the newest first."""
    statement = select(Erasure).order_by(Erasure.id.desc()).limit(query.limit)
    if query.before is not None:
        statement = statement.where(Erasure.id < query.before)
    if query.needs_person:
        statement = statement.where(Erasure.needs_person.is_not(None))
        statement = statement.where(Erasure.finished_at.is_(None))
    if query.requested_before is not None:
        # Few are open: they are found by their own index, and not among all that were ever done.
        unfinished = (
            select(Erasure.id)
            .where(
                Erasure.finished_at.is_(None),
                Erasure.needs_person.is_(None),
                Erasure.requested_at < query.requested_before,
            )
            .cte("unfinished")
            .prefix_with("MATERIALIZED")
        )
        statement = statement.where(Erasure.id.in_(select(unfinished.c.id)))
    return (await session.scalars(statement)).all()


async def close(
    session: AsyncSession, erasure_id: UUID, *, actor: Actor, now: datetime
) -> Erasure | None:
    """Finish an erasure that needs a person, and return it. Any other is not changed.

    Returns None if the id does not exist. Locks the row.
    """
    erasure = await session.get(Erasure, erasure_id, with_for_update=True)
    if erasure is None or erasure.needs_person is None or erasure.finished_at is not None:
        return erasure
    erasure.finished_at = erasure.unlinked_at = now
    erasure.closed_by = actor.name
    subject = Subject(SubjectKind.ERASURE, str(erasure_id))
    await audit.record(session, actor, Action.ERASURE_CLOSED, subject, now=now)
    return erasure


def _row(erasure: NewErasure) -> tuple[object, ...]:
    duty = erasure.duty
    subject = {"people": duty.people, "unionids": duty.unionids}
    return (
        erasure.id,
        erasure.duty.trigger.value,
        erasure.duty.detail,
        erasure.appid,
        erasure.requested_by,
        erasure.requested_at,
        erasure.until,
        orjson.dumps(subject).decode() if duty.needs_person is None else None,
        erasure.scope and erasure.scope.value,
        duty.needs_person and duty.needs_person.value,
    )
