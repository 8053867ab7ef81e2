"""The job `notices.send`: sends the notices of one send, as fast as its rate allows.

A run sends what the rate allows by then and runs again; nothing of its state is in memory. Each
notice is claimed, with its consent, right before its call, when there is a token and the call's
turn has come: so a worker that dies leaves as many in doubt as calls were going on. Those are not
sent again: `store.end_cut_off` says what they become. The others wait in their table, and the next
run sends them.
"""

import asyncio
import random
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import structlog

from app import metrics
from app.clock import Clock
from app.codes.holder import Holder
from app.db.brief import brief_transaction
from app.db.engine import SessionFactory
from app.db.job_executor import is_unavailable
from app.db.repeat_write import repeat_write
from app.notices import send_store, store
from app.notices.code_source import CodeBusy, CodeSource, NoCode
from app.notices.fill_code import takes_code, with_code
from app.notices.models import NoticeKind, NoticeStatus, SendSource, SendState
from app.notices.notice_body import mini_program_of, notice_body
from app.notices.queue_audience import queue_audience
from app.notices.quota_guard import PATHS, is_due, room_of
from app.notices.retry_policy import NoticeOutcome, outcome_of
from app.notices.send_store import RunningSend
from app.notices.store import Claim
from app.replies.errors import TryLater
from app.wechat.api import WeChatApi
from app.wechat.errcodes import explain
from app.wechat.errors import ApiError
from app.wechat.ids import AppId
from app.wechat_client.errors import NoToken, Paused
from app.wechat_client.problems import Api
from app.wechat_client.tokens import AccessTokens
from app.wechat_client.with_token import require_token, with_token

SEND_API: Final[dict[NoticeKind, Api]] = {
    NoticeKind.SUBSCRIPTION: "message/subscribe/bizsend",
    NoticeKind.TEMPLATE: "message/template/send",
}
CALLS_AT_ONCE: Final = 8
NEXT_RUN: Final = timedelta(seconds=1)
# A job that waits longer would keep the one from being added that a resumed send needs.
LONGEST_WAIT: Final = timedelta(seconds=30)
SKIP_BATCH: Final = 5000
STOPPED: Final = "the send was stopped"
ERASED: Final = "its content is erased"

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Sender:
    """What the job needs. codes: gives people their codes of campaigns."""

    sessions: SessionFactory
    api: WeChatApi
    tokens: AccessTokens
    clock: Clock
    codes: CodeSource


async def send(sender: Sender, send_id: UUID) -> None:
    """Send what the rate allows now. Raises TryLater until no notice waits any more."""
    async with brief_transaction(sender.sessions) as session:
        running = await send_store.read(session, send_id)
    if running is None or running.state is SendState.PAUSED:
        return
    if running.state is SendState.STOPPED:
        await _skip_all(sender, running)
    else:
        if not running.is_queued:
            running = await _queue(sender, running)
        await _send_some(sender, running)
    await _finish_or_go_on(sender, running)


async def _queue(sender: Sender, running: RunningSend) -> RunningSend:
    """Queue the notices of an audience, and return the send as it is then."""
    await queue_audience(sender.sessions, sender.clock, running.id, running.appid)
    async with brief_transaction(sender.sessions) as session:
        return await send_store.read(session, running.id) or running


async def _ask_for_quota(sender: Sender, running: RunningSend) -> None:
    """Note how much of the day's quota an audience may use."""
    try:
        quota = await with_token(
            sender.tokens,
            AppId(running.appid),
            lambda token: sender.api.quota(token, PATHS[running.kind]),
            api="openapi/quota/get",
        )
        room = room_of(quota)
    except ApiError:
        room = None
    async with brief_transaction(sender.sessions) as session:
        await send_store.note_quota(session, running.id, room, sender.clock.now())


async def _send_some(sender: Sender, running: RunningSend) -> None:
    now = sender.clock.now()
    pause = sender.tokens.pause(
        AppId(running.appid), SEND_API[running.kind], mini_program_of(running.content)
    )
    until = running.wait_until if pause is None else pause.look_again_at(now)
    if until is not None and until > now:
        raise TryLater(min(until - now, LONGEST_WAIT), "calls wait")
    if running.source is SendSource.AUDIENCE and is_due(running.quota_checked_at, now):
        await _ask_for_quota(sender, running)
    async with brief_transaction(sender.sessions) as session:
        allowed = await send_store.take_turn(session, running.id, now)
    turn = _Turn(allowed)
    ended = await asyncio.gather(
        *(
            _send_until_over(sender, running, turn)
            for _ in range(min(CALLS_AT_ONCE, allowed, running.total))
        ),
        return_exceptions=True,
    )
    for error in ended:
        if error is not None:
            raise error


@dataclass(slots=True)
class _Turn:
    """How many notices this run may still send."""

    left: int

    def take(self) -> bool:
        """Take one."""
        self.left -= 1
        return self.left >= 0

    def end(self) -> None:
        """Let nothing more be sent."""
        self.left = 0


async def _send_until_over(sender: Sender, running: RunningSend, turn: _Turn) -> None:
    while turn.take():
        if not await _may_call(sender, running):
            turn.end()
            return
        now = sender.clock.now()
        async with brief_transaction(sender.sessions) as session:
            claim = await store.claim(session, running.id, is_one_time=running.is_one_time, now=now)
        if claim is None:
            turn.end()
            return
        if not claim.has_consent:
            _count(running, NoticeStatus.SKIPPED)
            continue
        result = await _call(sender, running, claim)
        await _record(sender, running, claim, result)
        if isinstance(result, NoticeOutcome) and (result.stops_send or result.wait_until):
            turn.end()


async def _may_call(sender: Sender, running: RunningSend) -> bool:
    """Wait for the turn of a call, and have a token for it; return whether it may be made soon."""
    appid = AppId(running.appid)
    with suppress(NoToken):  # the call meets the same, and its notice says so
        await require_token(sender.tokens, appid)
    try:
        await sender.tokens.rates.admit(appid, SEND_API[running.kind])
    except Paused as error:
        async with brief_transaction(sender.sessions) as session:
            await send_store.wait(session, running.id, error.until)
        return False
    return True


async def _call(sender: Sender, running: RunningSend, claim: Claim) -> NoticeOutcome | str | None:
    """Call WeChat, with no transaction open. Returns the msgid if WeChat has taken the notice."""
    content = running.content if claim.content is None else claim.content
    if "data" not in content:
        return NoticeOutcome(NoticeStatus.SKIPPED, None, ERASED)
    api = sender.api
    is_template = claim.kind is NoticeKind.TEMPLATE
    call = api.send_template_message if is_template else api.send_notice
    try:
        if running.campaign_id is not None and takes_code(content):
            content = await _coded(sender, running.campaign_id, claim, content)
        body = notice_body(claim.id, claim.kind, claim.openid, claim.template_id, content)
        return await with_token(
            sender.tokens,
            AppId(claim.appid),
            lambda token: call(token, body),
            api=SEND_API[claim.kind],
            mini_program=mini_program_of(content),
            has_turn=True,
        )
    except ApiError as error:
        return outcome_of(
            error,
            claim.kind,
            of_audience=running.source is SendSource.AUDIENCE,
            attempts=claim.attempts,
            first_at=claim.first_at,
            now=sender.clock.now(),
            jitter=_jitter(),
        )
    except NoCode as error:
        return _without_code(running, error)
    except CodeBusy as error:
        return NoticeOutcome(NoticeStatus.PENDING, None, str(error), retry_in=NEXT_RUN)
    except Exception as error:
        # Nothing but reading codes and tokens needs the database, so nothing was sent.
        if not is_unavailable(error):
            raise
        return NoticeOutcome(
            NoticeStatus.PENDING, None, "the database was unavailable", retry_in=NEXT_RUN
        )


async def _coded(
    sender: Sender, campaign_id: UUID, claim: Claim, content: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the content with the person's code. Raises NoCode, CodeBusy.

    The code is the person's before the call. So whatever becomes of this attempt, the next one has
    the same code.
    """
    async with brief_transaction(sender.sessions) as session:
        code = await sender.codes.code_for(
            session,
            campaign_id,
            claim.send_id,
            Holder(claim.appid, claim.openid),
            sender.clock.now(),
        )
    return with_code(content, code)


def _without_code(running: RunningSend, error: NoCode) -> NoticeOutcome:
    """Return what becomes of a notice without a code. An audience waits for codes."""
    # What a request names is different for each person, perhaps.
    if error.stops_send and running.source is SendSource.AUDIENCE:
        return NoticeOutcome(NoticeStatus.PENDING, None, str(error), counts=False, stops_send=True)
    return NoticeOutcome(NoticeStatus.SKIPPED, None, str(error), counts=False)


async def _record(
    sender: Sender, running: RunningSend, claim: Claim, result: NoticeOutcome | str | None
) -> None:
    """Record a result, and repeat that until the database is available.

    There is no limit: a notice without a result would look like one whose worker had died.
    """
    await repeat_write(lambda: _record_once(sender, running, claim, result))
    _count(running, result.status if isinstance(result, NoticeOutcome) else NoticeStatus.SENT)


async def _record_once(
    sender: Sender, running: RunningSend, claim: Claim, result: NoticeOutcome | str | None
) -> None:
    now = sender.clock.now()
    async with brief_transaction(sender.sessions) as session:
        if not isinstance(result, NoticeOutcome):
            await store.mark_sent(session, claim, result)
            return
        await store.mark_unsent(session, claim, result, now)
        if result.wait_until is not None:
            await send_store.wait(session, running.id, result.wait_until)
        paused = result.stops_send and await send_store.pause_refused(session, running.id, result)
    if paused:
        _log_paused(running, result)


async def _skip_all(sender: Sender, running: RunningSend) -> None:
    skipped = SKIP_BATCH
    while skipped == SKIP_BATCH:
        async with sender.sessions.begin() as session:
            skipped = await store.skip_pending(session, running.id, STOPPED, SKIP_BATCH)


async def _finish_or_go_on(sender: Sender, running: RunningSend) -> None:
    """End the send if none of its notices waits. Raises TryLater if one does."""
    now = sender.clock.now()
    async with brief_transaction(sender.sessions) as session:
        due, is_sending = await store.next_due(session, running.id)
        waits = due is not None or is_sending
        if not waits and await send_store.finish(session, running.id, now):
            return
        current = await send_store.read(session, running.id)
    if current is None or current.state is SendState.PAUSED:
        return
    raise TryLater(_delay(due, now), "notices wait")


def _delay(due: datetime | None, now: datetime) -> timedelta:
    if due is None:
        return LONGEST_WAIT  # another worker sends the last ones, or has died with them
    return min(max(due - now, NEXT_RUN), LONGEST_WAIT)


def _jitter() -> float:
    return random.random()  # noqa: S311 - spreads load, hides nothing


def _count(running: RunningSend, status: NoticeStatus) -> None:
    metrics.NOTICES.labels(running.kind.value, status.value).inc()


def _log_paused(running: RunningSend, outcome: NoticeOutcome) -> None:
    found = None if outcome.errcode is None else explain(outcome.errcode, "en", outcome.rid)
    log.error(
        "notices.paused",
        send_id=str(running.id),
        appid=running.appid,
        template_id=running.template_id,
        errcode=outcome.errcode,
        errmsg=outcome.errmsg,
        rid=outcome.rid,
        meaning=found.meaning if found else None,
        fix=found.fix if found else None,
    )
