"""Sessions of operators in browsers."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from app.access import audit
from app.access.actions import Action
from app.access.actor import Actor, ActorKind, Subject, SubjectKind
from app.access.models import Operator, OperatorSession
from app.access.random_secret import new_secret, secret_hash
from app.access.roles import Role

MAX_IDLE: Final = timedelta(hours=8)
MAX_AGE: Final = timedelta(days=7)
TOUCH_AFTER: Final = timedelta(minutes=1)
MAX_USER_AGENT_CHARACTERS: Final = 200
MAX_LISTED: Final = 500


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Who sends a request of the console. session_id: not the secret."""

    session_id: UUID
    operator_id: UUID
    name: str
    role: Role
    language: str | None
    seen_at: datetime

    def actor(self, address: str | None) -> Actor:
        """Return the operator as the one who acts. address: of this request."""
        return Actor(ActorKind.OPERATOR, self.name, address)


@dataclass(frozen=True, slots=True)
class ListedSession:
    """A session in the list of sessions."""

    id: UUID
    operator: str
    address: str | None
    user_agent: str | None
    started_at: datetime
    seen_at: datetime


async def start(
    session: AsyncSession,
    operator: Operator,
    *,
    address: str | None,
    user_agent: str | None,
    now: datetime,
) -> str:
    """Return the secret of a new session, for the cookie; the database holds its hash alone."""
    secret = new_secret()
    row = OperatorSession(
        id=uuid7(),
        secret_hash=secret_hash(secret),
        operator_id=operator.id,
        address=address,
        user_agent=_shortened(user_agent),
        started_at=now,
        seen_at=now,
    )
    session.add(row)
    actor = Actor(ActorKind.OPERATOR, operator.name, address)
    await audit.record(session, actor, Action.SIGNED_IN, _subject(row.id), now=now)
    return secret


async def find(session: AsyncSession, secret: str, *, now: datetime) -> SignedIn | None:
    """Return who is signed in with this secret; None if nobody is, or not any more."""
    row = (
        await session.execute(
            select(
                OperatorSession.id,
                Operator.id,
                Operator.name,
                Operator.role,
                Operator.language,
                OperatorSession.seen_at,
            )
            .join(Operator, Operator.id == OperatorSession.operator_id)
            .where(
                OperatorSession.secret_hash == secret_hash(secret),
                OperatorSession.seen_at > now - MAX_IDLE,
                OperatorSession.started_at > now - MAX_AGE,
                Operator.disabled_at.is_(None),
            )
        )
    ).one_or_none()
    return None if row is None else SignedIn(*row)


async def valid_among(
    session: AsyncSession, session_ids: Collection[UUID], *, now: datetime
) -> frozenset[UUID]:
    """Return which of these sessions are valid."""
    found = await session.scalars(
        select(OperatorSession.id)
        .join(Operator, Operator.id == OperatorSession.operator_id)
        .where(
            OperatorSession.id.in_(session_ids),
            OperatorSession.seen_at > now - MAX_IDLE,
            OperatorSession.started_at > now - MAX_AGE,
            Operator.disabled_at.is_(None),
        )
    )
    return frozenset(found)


async def touch(session: AsyncSession, signed_in: SignedIn, *, now: datetime) -> None:
    """Note that a session is in use. It writes at most once in TOUCH_AFTER."""
    earlier = now - TOUCH_AFTER
    if signed_in.seen_at > earlier:
        return
    await session.execute(
        update(OperatorSession)
        .where(OperatorSession.id == signed_in.session_id, OperatorSession.seen_at <= earlier)
        .values(seen_at=now)
    )


async def read_all(
    session: AsyncSession, *, now: datetime, operator_id: UUID | None = None
) -> Sequence[ListedSession]:
    """Return the sessions that are valid, of everybody or of one operator, the newest first."""
    statement = (
        select(
            OperatorSession.id,
            Operator.name,
            OperatorSession.address,
            OperatorSession.user_agent,
            OperatorSession.started_at,
            OperatorSession.seen_at,
        )
        .join(Operator, Operator.id == OperatorSession.operator_id)
        .where(
            OperatorSession.started_at > now - MAX_AGE,
            OperatorSession.seen_at > now - MAX_IDLE,
            Operator.disabled_at.is_(None),
        )
        .order_by(OperatorSession.id.desc())
        .limit(MAX_LISTED)
    )
    if operator_id is not None:
        statement = statement.where(OperatorSession.operator_id == operator_id)
    return [ListedSession(*row) for row in await session.execute(statement)]


async def end(session: AsyncSession, actor: Actor, session_id: UUID, *, now: datetime) -> bool:
    """Sign out: end one's own session; return whether it was there."""
    return await _remove(session, actor, Action.SIGNED_OUT, session_id, now)


async def revoke(session: AsyncSession, actor: Actor, session_id: UUID, *, now: datetime) -> bool:
    """End a session of somebody; return whether it was there."""
    return await _remove(session, actor, Action.SESSION_REVOKED, session_id, now)


async def _remove(
    session: AsyncSession, actor: Actor, action: Action, session_id: UUID, now: datetime
) -> bool:
    operator_id = await session.scalar(
        delete(OperatorSession)
        .where(OperatorSession.id == session_id)
        .returning(OperatorSession.operator_id)
    )
    if operator_id is None:
        return False
    name = await session.scalar(select(Operator.name).where(Operator.id == operator_id))
    await audit.record(session, actor, action, _subject(session_id), now=now, before=name)
    return True


def _subject(session_id: UUID) -> Subject:
    return Subject(SubjectKind.SESSION, str(session_id))


def _shortened(user_agent: str | None) -> str | None:
    """Return what Postgres can store and a list can show."""
    if user_agent is None:
        return None
    return "".join(c for c in user_agent if c.isprintable())[:MAX_USER_AGENT_CHARACTERS]
