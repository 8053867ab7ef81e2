"""The one endpoint that WeChat calls: plain ASGI, since every push passes through it."""

import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from http import HTTPStatus
from typing import Final
from uuid import UUID

import structlog
from starlette.requests import ClientDisconnect
from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from app import metrics, tracing
from app.callback.admission import Admission
from app.callback.build_record import NO_RULES, UNDECIDED, Decision, build_record
from app.callback.deadline import Deadline
from app.callback.errors import BadData, CooldownLost, InboxError, SignatureUsed
from app.callback.handovers import has_hung_up
from app.callback.inbox import Inbox
from app.callback.metric_labels import callback_counter, counted_msgtype
from app.callback.record import Record, StoredResult
from app.callback.refusal_counts import RefusalCounts
from app.callback.request_body import TooLarge, read_body
from app.callback.response import CallbackResponse, callback_response
from app.callback.sending import Sending, needs_window, unsendable_now, without_window
from app.clock import Clock
from app.log_limit import LogLimit
from app.privacy.policy import reach_of
from app.rules.follower_reader import FollowerFacts
from app.rules.live import LiveRules
from app.settings import Account, Settings
from app.wechat.crypto import CallbackQuery, Cipher, check_freshness
from app.wechat.errors import BadEnvelope, PushRefused
from app.wechat.ids import AppId
from app.wechat.inbound import Inbound, parse, require_past, require_recipient, subject_openid

# How far WeChat's clock may be ahead of ours where the replay window is off.
DEFAULT_TOLERANCE_SECONDS: Final = 600
DEADLINE_SECONDS: Final = 4.0  # WeChat hangs up after 5

log = structlog.get_logger()


class CallbackEndpoint:
    """`GET` and `POST /callback/{appid}`.

    Statuses: 200 echostr, `success` or passive reply; 400 undecryptable or malformed; 403 bad
    signature or outside the replay window; 404 unknown appid; 405 other methods; 413 too
    large; 503 not stored within 4.0 s. Source: protocol 1 and 3.4.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        inbox: Inbox,
        rules: LiveRules,
        facts: FollowerFacts,
        clock: Clock,
        sending: Sending,
        refusals: RefusalCounts,
    ) -> None:
        self._replay_window = settings.replay_window_seconds
        self._max_body_bytes = settings.max_body_bytes
        self._inbox = inbox
        self._rules = rules
        self._clock = clock
        self._limits = sending.limits
        self._facts = facts
        self._refusals = refusals
        self._handovers = sending.handovers
        self._windows = sending.windows
        self._deadline = Deadline(DEADLINE_SECONDS)
        self._admission = Admission(settings.inbox_max_waiting)
        self._turned_away = 0
        self._told_at = 0
        # Anybody can cause a refusal: there are only as many limits as reasons and accounts.
        self._log_limits: defaultdict[tuple[str, str | None], LogLimit] = defaultdict(LogLimit)
        self._accounts: Mapping[str, tuple[Account, Cipher]] = {
            account.appid: (account, cipher_of(account))
            for account in settings.accounts.values()
            if account.receives
        }

        self._unsendable = {
            appid: unsendable_now(sending.problems, appid) for appid in self._accounts
        }
        configured = {*settings.accounts, *settings.mini_programs}
        self._reaches = {
            appid: reach_of(appid, configured, encrypted=cipher.encrypted)
            for appid, (_, cipher) in self._accounts.items()
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; every refusal is a status with a short plain text."""
        with tracing.trace("callback") as callback_id:
            await self._answer(scope, receive, send, callback_id)

    async def _answer(self, scope: Scope, receive: Receive, send: Send, callback_id: UUID) -> None:
        admitted = False
        try:
            with self._deadline.limit():
                admitted = await self._admission.enter()
                if admitted:
                    response = await self._respond(scope, receive, callback_id)
                else:
                    response = self._turn_away()
        except PushRefused as refusal:
            status = 400 if isinstance(refusal, BadEnvelope) else 403
            response = self._refuse(scope, refusal.reason, status)
        except TooLarge:
            response = self._refuse(scope, "too_large", 413)
        except BadData:
            response = self._refuse(scope, "bad_data", 400)
        except SignatureUsed as error:
            response = self._refuse(scope, error.reason, 403)
        except InboxError as error:
            response = self._refuse(scope, error.reason, 503)
        except TimeoutError:
            response = self._refuse(scope, "out_of_time", 503)
        except ClientDisconnect:
            return
        finally:
            if admitted:
                self._admission.leave()
        awaited_by = response.awaited_by if isinstance(response, CallbackResponse) else None
        if awaited_by is not None and await has_hung_up(receive):
            awaited_by = None
        await response(scope, receive, send)
        self._handovers.add(awaited_by)

    async def _respond(
        self, scope: Scope, receive: Receive, callback_id: UUID
    ) -> Response | CallbackResponse:
        known = self._accounts.get(scope["path_params"]["appid"])
        if known is None:
            return self._refuse(scope, "unknown_appid", 404)
        if scope["method"] not in {"GET", "POST"}:
            return self._refuse(scope, "bad_method", 405)
        account, cipher = known
        now = self._clock.now()
        query = CallbackQuery.parse(scope["query_string"])
        if query.timestamp is not None:
            check_freshness(query.timestamp, now=now, window_seconds=self._replay_window)
        if scope["method"] == "GET":
            return PlainTextResponse(cipher.verify_url(query))
        cipher.check_query(query)
        body = await read_body(scope, receive, max_bytes=self._max_body_bytes)
        opened = cipher.decrypt_push(body, query)
        message = parse(opened.text, opened.format)
        require_recipient(message, account.original_id)
        if not message.to_user and account.original_id is not None:
            message = replace(message, to_user=account.original_id)
        require_past(message, now, self._replay_window or DEFAULT_TOLERANCE_SECONDS)
        lost: frozenset[int] = frozenset()
        while True:
            decision = await self._decide(account.appid, message, now, lost)
            record = build_record(
                account,
                message,
                decision,
                callback_id=callback_id,
                now=now,
                limits=self._limits,
                reach=self._reaches[account.appid],
                signature=None if opened.encrypted else bytes.fromhex(query.signature or ""),
            )
            try:
                stored = await self._inbox.keep(record)
                break
            except CooldownLost as error:  # decided again, without the rules that were too late
                lost |= error.rule_ids
        _count(record, message, decision, stored)
        if tracing.is_recording():
            tracing.note(_attributes(record, stored))
        fixed = record.is_fixed(stored.passive)
        awaited_by = stored.first_id or (record.id if record.has_queued else None)
        return callback_response(
            cipher, opened, message, stored.passive, fixed=fixed, now=now, awaited_by=awaited_by
        )

    async def _decide(
        self, appid: str, message: Inbound, now: datetime, lost: frozenset[int]
    ) -> Decision:
        """Choose the rules that answer.

        lost: rules that have just answered the follower, whatever the facts say.
        """
        if not subject_openid(message):
            return NO_RULES
        rules = self._rules.current
        if rules is None:
            return UNDECIDED
        candidates = rules.find(AppId(appid), message, now)
        facts = None
        if candidates.asks_facts:
            facts = await self._facts.read(appid, subject_openid(message))
        if facts is not None:
            spooled = self._inbox.spooled_cooldowns.fired(appid, subject_openid(message))
            if spooled or lost:
                fired = {**facts.fired, **spooled, **dict.fromkeys(lost, now)}
                facts = replace(facts, fired=fired)
        chosen = candidates.choose(facts, now)
        unsendable = self._unsendable[appid]
        if needs_window(chosen, message, self._limits, now):
            openid = subject_openid(message)
            if await self._windows.none_is_open(appid, openid, now):
                unsendable = without_window(unsendable)
        return Decision(decided=True, chosen=chosen, unsendable=unsendable)

    def _turn_away(self) -> Response:
        """Refuse a push that did not come in. Of very many one line a second tells how many."""
        metrics.REFUSALS.labels("overloaded").inc()
        self._refusals.add(None, "overloaded")
        self._turned_away += 1
        second = int(time.monotonic())
        if second != self._told_at:
            log.warning("callback.overloaded", refused=self._turned_away)
            self._told_at, self._turned_away = second, 0
        return PlainTextResponse(REFUSALS[503], status_code=503)

    def _refuse(self, scope: Scope, reason: str, status: int) -> Response:
        """Count a refusal and log it, one line in ten seconds for each reason and account.

        The response body holds nothing that helps an attacker.
        """
        metrics.REFUSALS.labels(reason).inc()
        tracing.note({"oa_bridge.refused": reason})
        named = scope["path_params"]["appid"]
        appid = named if named in self._accounts else None
        self._refusals.add(appid, reason)
        if (count := self._log_limits[reason, appid].take()) is not None:
            log.warning("callback.refused", reason=reason, status=status, appid=appid, count=count)
        headers = {"Allow": "GET, POST"} if status == HTTPStatus.METHOD_NOT_ALLOWED else None
        return PlainTextResponse(REFUSALS[status], status_code=status, headers=headers)


def _count(record: Record, message: Inbound, decision: Decision, stored: StoredResult) -> None:
    msgtype = counted_msgtype(message)
    callback_counter(record.appid, msgtype, record.event, stored.result).inc()
    if not stored.duplicate:
        for chosen in decision.chosen:
            metrics.rule_matches(chosen.rule.kind).inc()


def _attributes(record: Record, stored: StoredResult) -> tracing.Attributes:
    """Return what a trace says of a callback: no text, and no OpenID in clear."""
    return {
        "oa_bridge.callback_id": str(record.id),
        "oa_bridge.appid": record.appid,
        "oa_bridge.msgtype": record.msgtype,
        "oa_bridge.event": record.event or "",
        "oa_bridge.openid_hash": tracing.hashed(record.openid),
        "oa_bridge.rule_id": record.rule_id or 0,
        "oa_bridge.result": stored.result,
    }


REFUSALS: Final = {
    400: "bad request",
    403: "forbidden",
    404: "not found",
    405: "method not allowed",
    413: "too large",
    503: "try again",
}


def cipher_of(account: Account) -> Cipher:
    """Return the Cipher of an account that receives callbacks."""
    return Cipher(account.appid, account.message_mode, account.tokens, account.aes_keys)
