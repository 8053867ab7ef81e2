"""Shows the whole way of one message: received, the rules, the replies, what became of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import orjson
from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncSession

from app.access import audit
from app.access.actions import Action
from app.access.actor import Subject, SubjectKind
from app.access.roles import Role
from app.callback import message_store, store
from app.callback.message_filter import Fate, MessageRow
from app.console.errors import NotFound
from app.console.labels import Label
from app.console.language import language_of
from app.console.message_pages import labels
from app.console.render import render
from app.console.signed_in import Editor, Viewer
from app.console.template_environment import console_path
from app.console.visitor import actor_of
from app.db.session import SessionDep
from app.replies import admin_store, attempt_store
from app.replies.admin_store import may_be_sent_again
from app.replies.models import Reply, ReplyAttempt, ReplyStatus
from app.replies.retry_policy import UNKNOWN
from app.rules import store as rules_store
from app.rules.definition.schemas import RuleIn
from app.rules.definition.triggers import TextTrigger
from app.rules.editing import revisions
from app.rules.explaining.explain import explain
from app.rules.explaining.question import ExplainQuery
from app.rules.matching.rule_set import Rule, compile_rules
from app.rules.text.regex import BadPattern
from app.wechat.errcodes import Explanation, Language
from app.wechat.errcodes import explain as explain_errcode
from app.wechat.errors import BadEnvelope
from app.wechat.ids import AppId
from app.wechat.inbound import Format, Inbound, parse
from app.wechat.outbound import STORED

router = APIRouter()

# A reply that is held may wait for days: nobody watches it.
_OPEN: Final = frozenset({ReplyStatus.PENDING, ReplyStatus.SENDING})


@dataclass(frozen=True, slots=True)
class PastRule:
    """A rule that answered, as it was when the message came.

    rule: None if that revision is not known or can't be read any more. matches: whether this
    revision matches the message; None if the message is erased. changed_since: whether the rule is
    another one now; exists: whether it is still there.
    """

    id: int
    revision: int | None
    changed_at: datetime | None
    rule: Rule | None
    matches: bool | None
    changed_since: bool
    exists: bool

    @property
    def details(self) -> Sequence[tuple[str, str]]:
        """What its trigger waits for: (name of the member or empty, value)."""
        if self.rule is None:
            return ()
        trigger = self.rule.trigger
        if isinstance(trigger, TextTrigger):
            return [("", word) for word in trigger.keywords or (trigger.keyword or "",)]
        values = trigger.model_dump(mode="json", by_alias=True, exclude_defaults=True)
        return [(name, str(value)) for name, value in values.items() if name != "on"]


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt to send a reply. number: from 1. explained: WeChat's errcode; None without.

    began_at, worker: None if they were not recorded.
    """

    number: int
    errcode: int | None
    errmsg: str | None
    rid: str | None
    explained: Explanation | None
    began_at: datetime | None
    worker: str | None


@dataclass(frozen=True, slots=True)
class ShownReply:
    """A reply with its attempts, the last one first; of older replies only the last one is kept."""

    reply: Reply
    fate: Label
    attempts: Sequence[Attempt]
    may_be_retried: bool

    @property
    def text(self) -> str:
        """What the follower reads first of it; empty if there is none, or if it is erased."""
        content = self.reply.content
        return str(content.get("title") or content.get("content") or content.get("url") or "")


@router.get("/{callback_id}")
async def show(
    callback_id: UUID,
    request: Request,
    visitor: Viewer,
    session: SessionDep,
    done: str = Query(default="", max_length=20),
) -> Response:
    """Show one message. done: what a button has just done."""
    row = await message_store.of_id(session, callback_id)
    if row is None:
        raise NotFound
    replies = await admin_store.of_callback(session, row.id, row.appid, row.openid)
    now = request.app.state.clock.now()
    language = language_of(request)
    made = await attempt_store.of_replies(session, [reply.id for reply in replies])
    shown = [_shown_reply(reply, made.get(reply.id, ()), now, language) for reply in replies]
    return render(
        request,
        "messages/message.html",
        fragment="way",
        row=row,
        past_rules=await _past_rules(session, row, replies),
        replies=shown,
        is_open=any(
            one.reply.status in {ReplyStatus.PENDING, ReplyStatus.SENDING} for one in shown
        ),
        unanswered=labels.MESSAGE_FATES[Fate.UNANSWERED],
        texts=labels,
        done=labels.DONE.get(done),
        editor=Role.EDITOR,
        can_retry=visitor.role.allows(Role.EDITOR),
    )


@router.post("/{callback_id}/replies/{reply_id}/retry")
async def retry(
    callback_id: UUID, reply_id: UUID, request: Request, visitor: Editor, session: SessionDep
) -> Response:
    """Send one reply again."""
    now = request.app.state.clock.now()
    before = await admin_store.of_id(session, reply_id)
    if before is None or before.callback_id != callback_id:
        raise NotFound
    possible = may_be_sent_again(before, now)
    reply = await admin_store.send_again(session, actor_of(request, visitor), reply_id, now)
    queued = possible and reply is not None and reply.status is ReplyStatus.PENDING
    done = "queued" if queued else "refused"
    return RedirectResponse(console_path(f"/messages/{callback_id}?done={done}"), 303)


@router.post("/{callback_id}/replies/{reply_id}/text")
async def show_reply(
    callback_id: UUID, reply_id: UUID, request: Request, visitor: Viewer, session: SessionDep
) -> Response:
    """Show the text of a reply: it may repeat what the follower wrote."""
    reply = await admin_store.of_id(session, reply_id)
    if reply is None or reply.callback_id != callback_id:
        raise NotFound
    now = request.app.state.clock.now()
    subject = Subject(SubjectKind.REPLY, str(reply_id))
    actor = actor_of(request, visitor)
    await audit.record(session, actor, Action.MESSAGE_SHOWN, subject, now=now, after="text")
    return render(request, "shown.html", value=_shown_reply(reply, (), now, "en").text)


def _shown_reply(
    reply: Reply, made: Sequence[ReplyAttempt], now: datetime, language: Language
) -> ShownReply:
    uncertain = reply.status is ReplyStatus.FAILED and (reply.errmsg or "").startswith(UNKNOWN)
    attempts = [_attempt(one.number, one, language) for one in made]
    if reply.attempts and (not made or made[0].ended_at is None):
        # Of an attempt that was not recorded, or is not ended, the reply says the most.
        attempts[:1] = [_attempt(reply.attempts, reply, language)]
    return ShownReply(
        reply,
        labels.fate_of_reply(reply.status, uncertain=uncertain),
        attempts,
        may_be_sent_again(reply, now),
    )


def _attempt(number: int, said: Reply | ReplyAttempt, language: Language) -> Attempt:
    explained = None
    if said.errcode is not None:
        explained = explain_errcode(said.errcode, language, said.rid)
    return Attempt(
        number,
        said.errcode,
        said.errmsg,
        said.rid,
        explained,
        began_at=said.began_at if isinstance(said, ReplyAttempt) else None,
        worker=said.worker if isinstance(said, ReplyAttempt) else None,
    )


async def _past_rules(
    session: AsyncSession, row: MessageRow, replies: Sequence[Reply]
) -> list[PastRule]:
    ids = [row.rule_id, *(reply.rule_id for reply in replies)]
    rule_ids = list(dict.fromkeys(rule_id for rule_id in ids if rule_id is not None))
    if not rule_ids:
        return []
    found = await revisions.as_of(session, rule_ids, row.received_at)
    message = await _message(session, row.id)
    past = []
    for rule_id in rule_ids:
        revision = found.get(rule_id)
        rule = None if revision is None else _rule(rule_id, revision.rule)
        now = await rules_store.get(session, rule_id)
        past.append(
            PastRule(
                rule_id,
                None if revision is None else revision.revision,
                None if revision is None else revision.changed_at,
                rule,
                None if rule is None or message is None else _answers(rule, message, row),
                now is not None and revision is not None and now.revision != revision.revision,
                now is not None,
            )
        )
    return past


def _rule(rule_id: int, document: dict[str, Any]) -> Rule | None:
    """Return a revision as a rule; None if an earlier release accepted it and this one does not."""
    try:
        return rules_store.rule_of(rule_id, RuleIn.model_validate(document, context=STORED))
    except ValidationError:
        return None


def _answers(rule: Rule, message: Inbound, row: MessageRow) -> bool:
    """Tell whether a rule, taken alone, answers the message at the time when it came."""
    query = ExplainQuery(AppId(row.appid), message, None, row.received_at)
    try:
        return bool(explain(compile_rules([rule], 0), [], query).winners)
    except BadPattern:
        return False


async def _message(session: AsyncSession, callback_id: UUID) -> Inbound | None:
    callback = await store.of_id(session, callback_id)
    if callback is None or not callback.payload:
        return None
    try:
        return parse(orjson.dumps(callback.payload).decode(), Format.JSON)
    except BadEnvelope:
        return None
