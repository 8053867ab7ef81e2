"""The job that sends the queued replies of one callback as customer-service messages."""

import asyncio
import os
import platform
import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Literal, Never, TypeAlias
from uuid import UUID

import structlog
from pydantic import ValidationError

from app import metrics
from app.clock import Clock
from app.db.brief import brief_transaction
from app.db.engine import SessionFactory
from app.db.job_executor import is_unavailable
from app.db.queue import enqueue
from app.db.repeat_write import repeat_write
from app.replies import attempt_store, expiry_report, store
from app.replies.card_ref import card_with_ref
from app.replies.code_source import CodeBusy, CodeSource, NoCode
from app.replies.errors import TryLater
from app.replies.expire import expired_reply
from app.replies.jobs import deliver_job, is_urgent
from app.replies.models import Reply, ReplyStatus
from app.replies.retry_policy import SendOutcome, not_fetched, outcome_of, paused, unknown_outcome
from app.replies.send_batches import OwedReply, SendBatches
from app.replies.send_results import SendResult, SendResults
from app.replies.send_slots import SendSlots, SlotsClosed
from app.replies.send_windows import Limits
from app.wechat.api import WeChatApi
from app.wechat.errcodes import explain
from app.wechat.errors import ApiError, TransportError
from app.wechat.ids import AppId, OpenId
from app.wechat.outbound import (
    REPLY,
    STORED,
    MediaSource,
    Message,
    MiniProgramPage,
    customer_service_body,
    media_of,
)
from app.wechat.outbound.code_mark import takes_code, with_code, without_code
from app.wechat_client.errors import MediaNotFetched, MediaUnavailable, Paused
from app.wechat_client.media import Uploads
from app.wechat_client.pauses import MINI_PROGRAM
from app.wechat_client.tokens import AccessTokens
from app.wechat_client.with_token import with_token

SEND: Final = "message/custom/send"
BAD_MEDIA_ID: Final = 40007
# A reply that another worker has begun to send is left to it for so long, since that worker may
# only have been cut off from the database. It records its result as soon as the database takes it:
# it tries for BRIEF_SECONDS each time, with the pause of `repeat_write` between.
TAKEOVER_SECONDS: Final = 8.0
# A reply that waits longer for the calls of others after its claim is claimed anew: another worker
# may have taken it over meanwhile.
CLAIM_LASTS: Final = timedelta(seconds=TAKEOVER_SECONDS)
SOON: Final = timedelta(seconds=1)
NO_CAMPAIGNS: Final = "this worker has no campaigns"
DATABASE_AWAY: Final = "not sent yet: the database was unavailable"
WORKER_STOPPED: Final = "not sent yet: the worker stopped"
WAITED: Final = "not sent yet: it waited too long for the calls of others"

UncertainSends: TypeAlias = Literal["resend_once", "hold"]

log = structlog.get_logger()


def name_of_worker() -> str:
    """Return the name of this process in the attempts: host and process."""
    return f"{platform.node()}/{os.getpid()}"


@dataclass(frozen=True, slots=True)
class Delivery:
    """The dependencies of sending.

    batches: of this worker. slots: of this worker, for replies from their claim on; calls: the
    fewer ones for those among them that are being sent. uncertain_sends: the setting
    UNCERTAIN_SENDS. worker: the name of this process in the attempts. codes: gives people their
    codes of campaigns; None: there are none.
    """

    sessions: SessionFactory
    batches: SendBatches
    slots: SendSlots
    calls: SendSlots
    api: WeChatApi
    tokens: AccessTokens
    uploads: Uploads
    clock: Clock
    limits: Limits = field(default_factory=Limits)
    uncertain_sends: UncertainSends = "resend_once"
    takeover_seconds: float = TAKEOVER_SECONDS
    worker: str = field(default_factory=name_of_worker)
    results: SendResults = field(default_factory=SendResults)
    codes: CodeSource | None = None


async def deliver(delivery: Delivery, callback_id: UUID) -> None:
    """Send the queued replies of a callback that are not sent yet, in the order of the rule.

    Raises TryLater when one of them must be tried again. The replies after it wait, too, unless it
    is a card whose mini-program WeChat refuses: that may last for days.
    """
    waiting: list[TryLater] = []
    for reply in await delivery.batches.to_send(callback_id):
        try:
            await _wait_for_pause(delivery, reply)
            await _deliver_one(delivery, reply)
        except TryLater as later:
            if later.errcode not in MINI_PROGRAM:
                raise
            waiting.append(later)
    if waiting:
        raise min(waiting, key=lambda later: later.delay)


async def _wait_for_pause(delivery: Delivery, reply: OwedReply) -> None:
    """Raise TryLater if it is known that WeChat would refuse this reply now, or not answer."""
    pause = delivery.tokens.pause(AppId(reply.appid), SEND, reply.mini_program)
    if pause is not None:
        await _put_off(delivery, reply, pause.error, pause.look_again_at(delivery.clock.now()))


async def _wait_for_turn(delivery: Delivery, reply: OwedReply) -> None:
    """Wait until the rate of the API allows one more call. Raises TryLater if that is not soon."""
    try:
        await delivery.tokens.rates.admit(AppId(reply.appid), SEND)
    except Paused as error:
        await _put_off(delivery, reply, error, error.until)


async def _put_off(delivery: Delivery, reply: OwedReply, error: ApiError, until: datetime) -> Never:
    outcome = paused(error, until, now=delivery.clock.now(), jitter=_jitter())
    async with brief_transaction(delivery.sessions) as session:
        await store.note_pause(session, reply.id, outcome)
    raise TryLater(outcome.retry_in or SOON, _reason(outcome), outcome.errcode)


async def _deliver_one(delivery: Delivery, owed: OwedReply) -> None:
    with delivery.results.sending(owed.id) as free:
        if not free:
            raise TryLater(SOON, "another job sends this reply")
        result = delivery.results.get(owed.id)
        if result is None:
            async with delivery.slots.take(owed.appid, urgent=_is_urgent(delivery, owed)):
                # Those before it may have met what it would meet as well.
                await _wait_for_pause(delivery, owed)
                await _wait_for_turn(delivery, owed)
                result = await _send_claimed(delivery, owed.id)
        if result is None:
            return
        await _record(delivery, result)
    outcome = result.outcome
    _report(result.reply, outcome)
    if outcome is not None and outcome.retry_in is not None:
        raise TryLater(outcome.retry_in, _reason(outcome), outcome.errcode)


def _is_urgent(delivery: Delivery, reply: OwedReply | Reply) -> bool:
    return reply.expires_at is not None and is_urgent(reply.expires_at, delivery.clock.now())


async def _send_claimed(delivery: Delivery, reply_id: UUID) -> SendResult | None:
    reply = await _claim(delivery, reply_id)
    if reply is None:
        return None
    claimed_at = delivery.clock.now()
    # The next reply is claimed while the calls of others go on, so that no call waits for a claim.
    try:
        async with delivery.calls.take(reply.appid, urgent=_is_urgent(delivery, reply)):
            tried_at = delivery.clock.now()
            if tried_at - claimed_at >= CLAIM_LASTS:
                return _given_back(delivery, reply, WAITED, SOON)
            outcome, coded = await _attempt(delivery, reply)
            result = SendResult(reply, outcome, tried_at, delivery.clock.now(), coded)
            delivery.results.add(result)
    except SlotsClosed as closed:
        return _given_back(delivery, reply, WORKER_STOPPED, closed.delay)
    return result


def _given_back(delivery: Delivery, reply: Reply, why: str, retry_in: timedelta) -> SendResult:
    """Return the result of a reply that was claimed and for which no call was made."""
    now = delivery.clock.now()
    outcome = SendOutcome(ReplyStatus.PENDING, None, why, retry_in)
    result = SendResult(reply, outcome, now, now)
    delivery.results.add(result)
    return result


async def _claim(delivery: Delivery, reply_id: UUID) -> Reply | None:
    if delivery.results.unsent_since(reply_id) is None:
        delivery.results.claiming(reply_id, delivery.clock.now())
        reply = await delivery.batches.claim(reply_id)
        delivery.results.claimed(reply_id)
        if reply is not None:
            return reply
    return await _claim_by_itself(delivery, reply_id)


async def _claim_by_itself(delivery: Delivery, reply_id: UUID) -> Reply | None:
    async with brief_transaction(delivery.sessions) as session:
        interrupted = await store.interrupted_attempt(session, reply_id)
    may_have_arrived = interrupted is not None and not _is_unsent(delivery, reply_id, interrupted)
    if may_have_arrived:
        await asyncio.sleep(delivery.takeover_seconds)
    delivery.results.claiming(reply_id, delivery.clock.now())
    async with brief_transaction(delivery.sessions) as session:
        now = delivery.clock.now()
        reply = await store.claim(
            session,
            reply_id,
            now,
            delivery.limits,
            interrupted=None if interrupted is None else interrupted.number,
            may_have_arrived=may_have_arrived,
            most_uncertain=store.MOST_UNCERTAIN[delivery.uncertain_sends],
        )
        if reply is not None and reply.status is ReplyStatus.SENDING:
            await attempt_store.begin(session, reply, worker=delivery.worker, now=now)
    delivery.results.claimed(reply_id)
    if may_have_arrived and reply is not None:
        _report_cut_off(reply)
    if reply is not None and reply.status is not ReplyStatus.SENDING:
        if reply.status is not ReplyStatus.HELD:
            _report_ended(reply, now)
        return None
    return reply


def _is_unsent(delivery: Delivery, reply_id: UUID, attempt: store.Interrupted) -> bool:
    """Return whether an attempt is a claim of this process that failed: nothing was sent then.

    One that failed may as well not stand in the table, where that of a worker that died is then.
    """
    since = delivery.results.unsent_since(reply_id)
    if since is None or attempt.began_at is None or attempt.worker != delivery.worker:
        return False
    return attempt.began_at >= since


async def _record(delivery: Delivery, result: SendResult) -> None:
    """Record a result, and repeat that until the database is available.

    There is no limit: a worker that gave up would leave a reply that looks as if its worker had
    died, and another one would send it again. After any other error the result stays in memory, and
    the job's next run records it.
    """
    await repeat_write(lambda: _record_once(delivery, result))
    delivery.results.discard(result.reply.id)


async def _record_once(delivery: Delivery, result: SendResult) -> None:
    outcome = result.outcome
    if outcome is None and not await delivery.batches.mark_sent(result):
        return
    async with brief_transaction(delivery.sessions) as session:
        if outcome is not None:
            await store.mark_unsent(
                session, result.reply, outcome, tried_at=result.tried_at, limits=delivery.limits
            )
            await attempt_store.end(session, result.reply, outcome, now=result.ended_at)
        now = delivery.clock.now()
        woken = await store.requeue_held_of(session, result.reply, now, delivery.limits)
        await enqueue(
            session, [deliver_job(callback_id, result.reply.appid) for callback_id in woken]
        )


async def _attempt(delivery: Delivery, reply: Reply) -> tuple[SendOutcome | None, Message | None]:
    """Call WeChat, with no transaction open. Returns no outcome if the message was sent.

    With it the message, if it is not the stored one since that one waited for a code.
    """
    coded: Message | None = None
    try:
        message = REPLY.validate_python(reply.content, context=STORED)
        if takes_code(message, reply.id):
            message = coded = await _coded(delivery, reply, message)
        await _send(delivery, reply, message)
    except Exception as error:
        outcome = _outcome_of(delivery, reply, error)
        if outcome is not None:
            return outcome, None
        # Nothing but reading ids and tokens needs the database, so nothing was sent.
        if not is_unavailable(error):
            raise
        return SendOutcome(ReplyStatus.PENDING, None, DATABASE_AWAY, SOON), None
    return None, coded


async def _coded(delivery: Delivery, reply: Reply, message: Message) -> Message:
    """Return a message with the person's code, or what is said without one. Raises NoCode.

    The code is the person's before the call. So whatever becomes of this attempt, the next one, and
    any other reply to them, has the same code.
    """
    try:
        if delivery.codes is None:
            raise NoCode(NO_CAMPAIGNS)
        async with brief_transaction(delivery.sessions) as session:
            code = await delivery.codes.code_for(session, reply, delivery.clock.now())
    except NoCode:
        instead = without_code(message)
        if instead is None:
            raise
        return instead
    return with_code(message, reply.id, code)


def _outcome_of(delivery: Delivery, reply: Reply, error: Exception) -> SendOutcome | None:
    """Return what an error means for the reply; None for one that nobody expects."""
    jitter = _jitter()
    match error:
        case CodeBusy():
            return SendOutcome(ReplyStatus.PENDING, None, str(error), SOON)
        case MediaNotFetched():
            return not_fetched(error, attempts=reply.attempts, jitter=jitter)
        case ValidationError() | MediaUnavailable() | NoCode():
            unreadable = isinstance(error, ValidationError)
            reason = "the stored reply can't be read" if unreadable else str(error)
            return SendOutcome(ReplyStatus.FAILED, None, reason)
        case _UnknownOutcomeError():
            return unknown_outcome(error.cause)
        case ApiError():
            return outcome_of(
                error, attempts=reply.attempts, jitter=jitter, now=delivery.clock.now()
            )
    return None


def _reason(outcome: SendOutcome) -> str:
    return f"errcode {outcome.errcode}"


def _jitter() -> float:
    return random.random()  # noqa: S311 - spreads load, hides nothing


async def _send(delivery: Delivery, reply: Reply, message: Message) -> None:
    media_ids = await _media_ids(delivery, reply, message)
    try:
        await _custom_send(delivery, reply, message, media_ids)
    except ApiError as error:
        if error.errcode != BAD_MEDIA_ID or not media_ids:
            raise
        for media_id in media_ids.values():
            await delivery.uploads.forget(AppId(reply.appid), media_id)
        media_ids = await _media_ids(delivery, reply, message)
        await _custom_send(delivery, reply, message, media_ids)


async def _media_ids(delivery: Delivery, reply: Reply, message: Message) -> dict[MediaSource, str]:
    return {
        use.source: await delivery.uploads.media_id(AppId(reply.appid), use)
        for use in media_of(message)
        if use.source.media_id is None
    }


async def _custom_send(
    delivery: Delivery, reply: Reply, message: Message, media_ids: dict[MediaSource, str]
) -> None:
    sent = card_with_ref(message, reply.id)
    body = customer_service_body(sent, openid=OpenId(reply.openid), media_ids=media_ids)

    try:
        await with_token(
            delivery.tokens,
            AppId(reply.appid),
            lambda token: delivery.api.custom_send(token, body),
            api=SEND,
            mini_program=_mini_program_of(message),
            has_turn=True,
        )
    except TransportError as error:
        if error.outcome_unknown:
            raise _UnknownOutcomeError(error) from error
        raise


def _mini_program_of(message: Message) -> str | None:
    return message.appid if isinstance(message, MiniProgramPage) else None


class _UnknownOutcomeError(Exception):
    """The outcome of custom/send itself is unknown, not that of an upload or a token call."""

    def __init__(self, cause: TransportError) -> None:
        super().__init__(cause.errmsg)
        self.cause = cause


def _report(reply: Reply, outcome: SendOutcome | None) -> None:
    status = "sent" if outcome is None else outcome.status.value
    metrics.SENDS.labels(reply.msgtype, status).inc()
    if outcome is not None and outcome.status is ReplyStatus.FAILED:
        found = None if outcome.errcode is None else explain(outcome.errcode, "en", outcome.rid)
        log.error(
            "replies.not_sent",
            reply_id=str(reply.id),
            appid=reply.appid,
            errcode=outcome.errcode,
            errmsg=outcome.errmsg,
            rid=outcome.rid,
            meaning=found.meaning if found else None,
            fix=found.fix if found else None,
            attempts=reply.attempts,
        )


def _report_cut_off(reply: Reply) -> None:
    """Report that a worker died while it was sending a reply, which may have arrived."""
    action = "resent" if reply.status is ReplyStatus.SENDING else "held"
    metrics.CUT_OFF_SENDS.labels(action).inc()
    log.warning(
        "replies.cut_off",
        reply_id=str(reply.id),
        appid=reply.appid,
        action=action,
        attempts=reply.attempts,
    )


def _report_ended(reply: Reply, now: datetime) -> None:
    """Report a reply that was too late to be sent, or to be sent again."""
    if reply.status is ReplyStatus.FAILED:
        _report(reply, SendOutcome(reply.status, None, reply.errmsg or ""))
        return
    expired = expired_reply(reply.appid, reply.msgtype, reply.errmsg, reply.expires_at, now)
    expiry_report.report([expired], callback_id=reply.callback_id, errmsg=reply.errmsg)
