"""The job `alarms.send`: tells one receiver what is to be told, in one message."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from app import metrics
from app.alarms import delivery_store
from app.alarms.message import Item, Message, Wording, compose, fitting, message_of_test
from app.alarms.models import AlarmDelivery, AlarmReceiver, Stage
from app.alarms.receiver_secrets import opened
from app.alarms.retry_policy import next_attempt
from app.alarms.schemas import Mail
from app.alarms.send import SendResult, Target, Transport, send
from app.clock import Clock
from app.db.engine import SessionFactory
from app.http_client.ssrf_guard import Resolver, resolve
from app.secret_box import WRONG_KEY, DecryptionFailed, SecretBox, secret_box
from app.settings import Settings
from app.webhooks.endpoint_url import endpoint_policy

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Teller:
    """What telling receivers needs."""

    sessions: SessionFactory
    clock: Clock
    settings: Settings
    resolver: Resolver = resolve
    box: SecretBox = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "box", secret_box(self.settings))

    @property
    def transport(self) -> Transport:
        """By which way messages are sent; the settings of webhooks say what is allowed."""
        return Transport(endpoint_policy(self.settings), self.resolver)

    def wording(self, receiver: AlarmReceiver) -> Wording:
        """Return the language and the zone of a receiver's messages."""
        console = self.settings.console == "on" and self.settings.public_url is not None
        return Wording(
            "zh" if receiver.language == "zh" else "en",
            ZoneInfo(self.settings.console_time_zone),
            f"{self.settings.base_url}/console/alarms" if console else None,
        )


@dataclass(frozen=True, slots=True)
class _Attempt:
    target: Target
    message: Message
    items: tuple[Item, ...]


async def deliver(teller: Teller, receiver_id: UUID) -> None:
    """Tell a receiver what is to be told. What does not fit is told a minute later.

    No transaction is open while it is sent. If the worker dies then, the next one sends it once
    more, says that it may have arrived, and takes it for told if that one dies, too.
    """
    run, now = uuid7(), teller.clock.now()
    async with teller.sessions.begin() as session:
        receiver = await delivery_store.claim(session, receiver_id, run, now)
        if receiver is None:
            return
        attempt = await _next(teller, session, receiver, now)
        if attempt is None:
            receiver.lease = receiver.leased_until = None
            return
    result = await send(attempt.target, attempt.message, run, now, teller.transport)
    async with teller.sessions.begin() as session:
        await _record(teller, session, receiver_id, run, attempt, result)


async def send_test(teller: Teller, receiver: AlarmReceiver) -> SendResult:
    """Send a test to a receiver and return what came of it. No transaction is to be open."""
    try:
        target = _target(teller, receiver)
    except DecryptionFailed:
        return SendResult(_WRONG_KEY)
    message = message_of_test(teller.wording(receiver))
    result = await send(target, message, uuid7(), teller.clock.now(), teller.transport)
    _count(receiver, result)
    return result


async def _next(
    teller: Teller, session: AsyncSession, receiver: AlarmReceiver, now: datetime
) -> _Attempt | None:
    """Return what to send, noted as being sent; None if there is nothing, or it can't be sent."""
    wanted: list[Item] = []
    given_up: list[Item] = []
    for alarm, delivery in await delivery_store.due(session, receiver, now):
        stage = _stage(alarm.ended_at is not None, delivery)
        cut_off = delivery is not None and delivery.sending is stage
        item = Item(alarm, stage, cut_off or (delivery is not None and delivery.maybe_sent))
        tries = delivery.tries if delivery is not None and cut_off else 0
        (given_up if tries >= delivery_store.MAX_TRIES else wanted).append(item)
    if given_up:
        log.warning("alarms.maybe_not_sent", receiver=str(receiver.id), count=len(given_up))
        await delivery_store.told(session, receiver.id, given_up, now)
    if not wanted:
        return None
    try:
        target = _target(teller, receiver)
    except DecryptionFailed:
        _fail(receiver, SendResult(_WRONG_KEY), now)
        return None
    wording = teller.wording(receiver)
    items = tuple(fitting(wanted, wording))
    await delivery_store.begin(session, receiver.id, items)
    return _Attempt(target, compose(items, wording), items)


def _stage(ended: bool, delivery: AlarmDelivery | None) -> Stage:
    if ended:
        return Stage.ENDED
    return Stage.BEGAN if delivery is None or delivery.told_at is None else Stage.LASTS


async def _record(
    teller: Teller,
    session: AsyncSession,
    receiver_id: UUID,
    run: UUID,
    attempt: _Attempt,
    result: SendResult,
) -> None:
    now = teller.clock.now()
    receiver = await session.get(
        AlarmReceiver, receiver_id, with_for_update=True, populate_existing=True
    )
    if receiver is None or receiver.lease != run:
        return  # it was deleted, or another run took over and records its own result
    receiver.lease = receiver.leased_until = None
    _count(receiver, result)
    if result.accepted:
        receiver.sent_at = now
        receiver.failures = 0
        receiver.failing_since = None
        receiver.next_at = now + result.pause if result.pause else None
        receiver.error = result.note
        await delivery_store.told(session, receiver_id, attempt.items, now)
        return
    _fail(receiver, result, now)
    await delivery_store.not_told(session, receiver_id, attempt.items, uncertain=result.uncertain)


def _fail(receiver: AlarmReceiver, result: SendResult, now: datetime) -> None:
    receiver.lease = receiver.leased_until = None
    receiver.failures += 1
    receiver.failing_since = receiver.failing_since or now
    receiver.error = result.error
    receiver.next_at = next_attempt(receiver.failures, result.pause, now)
    log.warning(
        "alarms.not_sent",
        receiver=str(receiver.id),
        kind=receiver.kind.value,
        failures=receiver.failures,
        error=result.error,
    )


def _target(teller: Teller, receiver: AlarmReceiver) -> Target:
    mail = None if receiver.mail is None else Mail.model_validate(receiver.mail)
    return Target(receiver.kind, opened(receiver, teller.box), mail)


def _count(receiver: AlarmReceiver, result: SendResult) -> None:
    outcome = "sent" if result.accepted else "failed"
    metrics.ALARM_MESSAGES.labels(receiver.kind.value, outcome).inc()


_WRONG_KEY: Final = f"the address can't be read: {WRONG_KEY}"
