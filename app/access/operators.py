"""Adds, lists and changes operators. Every change is in the audit log."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from app.access import audit
from app.access.actions import Action
from app.access.actor import Actor, Subject, SubjectKind
from app.access.errors import AccessError, LastOwner, NameTaken, NotFound
from app.access.models import Operator, OperatorSession, SignInLink
from app.access.names import clean_name
from app.access.roles import Role

LANGUAGES: Final = ("zh", "en")
# The list has no pages.
MAX_OPERATORS: Final = 500


async def add(
    session: AsyncSession, actor: Actor, name: str, role: Role, *, now: datetime
) -> Operator:
    """Add an operator. Raises InvalidName, NameTaken, or AccessError if there are too many."""
    name = clean_name(name)
    if (await session.scalar(select(func.count()).select_from(Operator)) or 0) >= MAX_OPERATORS:
        raise AccessError(f"there are {MAX_OPERATORS} operators, which is the limit")
    added: Operator | None = await session.scalar(
        insert(Operator)
        .values(id=uuid7(), name=name, role=role, language=None, created_at=now, disabled_at=None)
        .on_conflict_do_nothing(index_elements=[Operator.name])
        .returning(Operator)
    )
    if added is None:
        raise NameTaken(f"there is an operator {name} already: choose another name")
    await audit.record(
        session, actor, Action.OPERATOR_ADDED, subject_of(added), now=now, after=role
    )
    return added


async def any_exists(session: AsyncSession) -> bool:
    """Return whether anybody may sign in at all."""
    found = await session.scalar(select(Operator.id).where(Operator.disabled_at.is_(None)).limit(1))
    return found is not None


async def read_all(session: AsyncSession) -> Sequence[Operator]:
    """Return every operator by name, also those who are disabled."""
    rows = await session.scalars(select(Operator).order_by(Operator.name).limit(MAX_OPERATORS))
    return rows.all()


async def by_name(session: AsyncSession, name: str) -> Operator:
    """Return the operator with this name. Raises NotFound."""
    cleaned = clean_name(name)
    found = await session.scalar(select(Operator).where(Operator.name == cleaned))
    if found is None:
        raise NotFound(f"there is no operator {cleaned}: see oa-bridge operators list")
    return found


async def change_role(
    session: AsyncSession, actor: Actor, operator_id: UUID, role: Role, *, now: datetime
) -> Operator:
    """Give an operator another role; sessions have it at their next request.

    Raises NotFound and LastOwner.
    """
    operator = await _locked(session, operator_id)
    if operator.role is role:
        return operator
    if not role.allows(Role.OWNER):
        _keep_an_owner(operator, await _owners(session))
    before, operator.role = operator.role, role
    await audit.record(
        session,
        actor,
        Action.OPERATOR_ROLE_CHANGED,
        subject_of(operator),
        now=now,
        before=before,
        after=role,
    )
    return operator


async def disable(
    session: AsyncSession, actor: Actor, operator_id: UUID, *, now: datetime
) -> Operator:
    """End an operator's sessions and links and let nobody in under the name.

    Raises NotFound and LastOwner.
    """
    operator = await _locked(session, operator_id)
    if operator.disabled_at is not None:
        return operator
    _keep_an_owner(operator, await _owners(session))
    operator.disabled_at = now
    await session.execute(delete(OperatorSession).where(OperatorSession.operator_id == operator_id))
    await session.execute(delete(SignInLink).where(SignInLink.operator_id == operator_id))
    await audit.record(session, actor, Action.OPERATOR_DISABLED, subject_of(operator), now=now)
    return operator


async def enable(
    session: AsyncSession, actor: Actor, operator_id: UUID, *, now: datetime
) -> Operator:
    """Let an operator in again who was disabled. Raises NotFound."""
    operator = await _locked(session, operator_id)
    if operator.disabled_at is not None:
        operator.disabled_at = None
        await audit.record(session, actor, Action.OPERATOR_ENABLED, subject_of(operator), now=now)
    return operator


async def choose_language(session: AsyncSession, operator_id: UUID, language: str | None) -> None:
    """Set the language of an operator's pages: one of LANGUAGES, or None for the browser's.

    Nobody but the operator does this, and it is not in the audit log. Raises NotFound.
    """
    if language is not None and language not in LANGUAGES:
        raise AccessError(f"the language is one of {', '.join(LANGUAGES)}")
    (await _locked(session, operator_id)).language = language


def subject_of(operator: Operator) -> Subject:
    """Return the operator as the subject of an audit entry."""
    return Subject(SubjectKind.OPERATOR, operator.name)


async def _locked(session: AsyncSession, operator_id: UUID) -> Operator:
    # The owners come first and in one order: two who disable each other must not both succeed.
    await _owners(session)
    found = await session.get(Operator, operator_id, with_for_update=True, populate_existing=True)
    if found is None:
        raise NotFound("there is no such operator")
    return found


async def _owners(session: AsyncSession) -> Sequence[UUID]:
    """Return the ids of the owners who may sign in, with their rows locked."""
    rows = await session.scalars(
        select(Operator.id)
        .where(Operator.role == Role.OWNER, Operator.disabled_at.is_(None))
        .order_by(Operator.id)
        .with_for_update()
    )
    return rows.all()


def _keep_an_owner(operator: Operator, owners: Sequence[UUID]) -> None:
    if list(owners) == [operator.id]:
        raise LastOwner(f"{operator.name} is the last owner: make somebody else one first")
