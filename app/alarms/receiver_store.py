"""SQL of receivers: adds, changes and deletes them. The audit log has every change."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from app.access import audit, audit_values
from app.access.actions import Action
from app.access.actor import Actor, Subject, SubjectKind
from app.alarms.check_receiver import host_of, merged
from app.alarms.errors import BadReceiver, RecentlyTested, TooManyReceivers
from app.alarms.models import AlarmReceiver
from app.alarms.receiver_secrets import Secrets, opened, sealed
from app.alarms.schemas import ReceiverIn
from app.http_client.url_policy import Policy
from app.secret_box import DecryptionFailed, SecretBox

# Each is told of every alarm.
MAX_RECEIVERS: Final = 20
# A group robot takes 20 messages a minute, and one a minute may be an alarm.
TEST_PAUSE: Final = timedelta(seconds=10)


async def all_receivers(session: AsyncSession) -> Sequence[AlarmReceiver]:
    """Return every receiver, the oldest first."""
    return (await session.scalars(select(AlarmReceiver).order_by(AlarmReceiver.id))).all()


async def add(
    session: AsyncSession,
    actor: Actor,
    receiver_in: ReceiverIn,
    box: SecretBox,
    policy: Policy,
    now: datetime,
) -> AlarmReceiver:
    """Add a receiver. Raises BadReceiver, TooManyReceivers."""
    count = await session.scalar(select(func.count()).select_from(AlarmReceiver)) or 0
    if count >= MAX_RECEIVERS:
        raise TooManyReceivers
    secrets = merged(receiver_in, Secrets(), policy)
    receiver = AlarmReceiver(
        id=uuid7(), kind=receiver_in.kind, created_at=now, updated_at=now, failures=0
    )
    _fill(receiver, receiver_in, secrets, box, now)
    session.add(receiver)
    await session.flush()
    await audit.record(
        session,
        actor,
        Action.ALARM_RECEIVER_ADDED,
        subject_of(receiver.id),
        now=now,
        after=audit_values.shown({**_members(receiver), **_hidden(secrets)}),
    )
    return receiver


async def locked(session: AsyncSession, receiver_id: UUID) -> AlarmReceiver | None:
    """Return a receiver with its row locked."""
    return await session.get(
        AlarmReceiver, receiver_id, with_for_update=True, populate_existing=True
    )


async def replace(
    session: AsyncSession,
    actor: Actor,
    receiver: AlarmReceiver,
    receiver_in: ReceiverIn,
    box: SecretBox,
    policy: Policy,
    now: datetime,
) -> None:
    """Replace a locked receiver; its failures are forgotten. Raises BadReceiver."""
    if receiver_in.kind is not receiver.kind:
        raise BadReceiver(
            "kind", f"is {receiver.kind}: add another receiver for {receiver_in.kind}"
        )
    try:
        stored = opened(receiver, box)
    except DecryptionFailed:
        stored = Secrets()  # then the body has to name all of them again
    secrets = merged(receiver_in, stored, policy, receiver.mail)
    members = {**_members(receiver), **_hidden(stored)}
    _fill(receiver, receiver_in, secrets, box, now)
    receiver.failures = 0
    receiver.failing_since = receiver.next_at = receiver.error = None
    before, after = audit_values.difference(members, {**_members(receiver), **_hidden(secrets)})
    await audit.record(
        session,
        actor,
        Action.ALARM_RECEIVER_CHANGED,
        subject_of(receiver.id),
        now=now,
        before=before,
        after=after,
    )


async def remove(session: AsyncSession, actor: Actor, receiver_id: UUID, now: datetime) -> bool:
    """Delete a receiver with what it was told; return whether it existed."""
    deleted = await session.scalar(
        delete(AlarmReceiver).where(AlarmReceiver.id == receiver_id).returning(AlarmReceiver)
    )
    if deleted is None:
        return False
    await audit.record(
        session,
        actor,
        Action.ALARM_RECEIVER_DELETED,
        subject_of(receiver_id),
        now=now,
        before=audit_values.shown(_members(deleted)),
    )
    return True


async def begin_test(
    session: AsyncSession, actor: Actor, receiver: AlarmReceiver, now: datetime
) -> None:
    """Note that a locked receiver is sent a test. Raises RecentlyTested."""
    tested_at = receiver.tested_at
    if tested_at is not None and timedelta() <= now - tested_at < TEST_PAUSE:
        seconds = int((TEST_PAUSE - (now - tested_at)).total_seconds()) + 1
        raise RecentlyTested(f"it was sent a test just now: wait {seconds} seconds")
    receiver.tested_at = now
    await audit.record(
        session, actor, Action.ALARM_RECEIVER_TESTED, subject_of(receiver.id), now=now
    )


def subject_of(receiver_id: UUID) -> Subject:
    """Return a receiver as the subject of an audit entry."""
    return Subject(SubjectKind.ALARM_RECEIVER, str(receiver_id))


def _members(receiver: AlarmReceiver) -> audit_values.Members:
    """Return what the audit log shows of a receiver, but for its secrets."""
    mail = receiver.mail or {}
    return {
        "kind": receiver.kind.value,
        "name": receiver.name,
        "language": receiver.language,
        "enabled": receiver.enabled,
        "host": receiver.host,
        "port": mail.get("port"),
        "security": mail.get("security"),
        "username": mail.get("username"),
        "sender": mail.get("sender"),
        "recipients": mail.get("recipients"),
    }


def _hidden(secrets: Secrets) -> audit_values.Members:
    """Return which secrets a receiver has."""
    return {
        "url": audit_values.secret(secrets.url),
        "secret": audit_values.secret(secrets.secret),
        "password": audit_values.secret(secrets.password),
    }


def _fill(
    receiver: AlarmReceiver,
    receiver_in: ReceiverIn,
    secrets: Secrets,
    box: SecretBox,
    now: datetime,
) -> None:
    receiver.name = receiver_in.name
    receiver.language = receiver_in.language
    receiver.enabled = receiver_in.enabled
    receiver.mail = None if receiver_in.mail is None else receiver_in.mail.model_dump(mode="json")
    receiver.host = host_of(receiver_in, secrets)
    receiver.secrets = sealed(secrets, box, receiver.id)
    receiver.updated_at = now
