"""An explanation, read from the database and written for operators."""

import asyncio
from datetime import datetime
from typing import Any, Final

from pydantic import BaseModel, ConfigDict
from sqlalchemy.ext.asyncio import AsyncSession

from app.rules import store
from app.rules.answers import Answer, answers
from app.rules.engine import Rule, RuleSet, compile_rules
from app.rules.explaining import explain
from app.rules.facts import Facts
from app.rules.follower_facts import read_facts
from app.wechat.ids import AppId, OpenId
from app.wechat.inbound import Inbound, subject_openid

NOBODY: Final = OpenId("nobody")
"""Stands for a sender of whom nothing is known."""


class RuleName(BaseModel):
    """Which rule. kind: what it waits for, in one word."""

    model_config = ConfigDict(frozen=True)

    id: int
    name: str
    kind: str
    priority: int


class SentReply(BaseModel):
    """A reply as it would be sent; `{ref}` is drawn anew each time. not_sent: why it is not."""

    reply: dict[str, Any]
    not_sent: str | None


class Winner(BaseModel):
    """A rule that answers."""

    rule: RuleName
    replies: list[SentReply]


class Miss(BaseModel):
    """A rule that nearly answers, and why it does not."""

    rule: RuleName
    reason: str


class Explained(BaseModel):
    """winners: best first. more_near_misses: how many were left off the list."""

    version: int
    winners: list[Winner]
    near_misses: list[Miss]
    more_near_misses: int


async def explain_message(
    session: AsyncSession,
    live: RuleSet | None,
    appid: AppId,
    message: Inbound,
    now: datetime,
    *,
    most: int,
) -> Explained:
    """Return what would be answered now. live: the rules that are served; None: read them.

    A message of NOBODY is judged as one of somebody of whom nothing is known.
    """
    rules = live or await _compiled(session, most)
    disabled = await store.load_disabled(session)
    openid = subject_openid(message)
    facts = Facts() if openid == NOBODY else await read_facts(session, appid, openid)
    found = await asyncio.to_thread(explain, rules, disabled, appid, message, facts, now)
    ready = list(answers(found.chosen, message, appid=appid))
    return Explained(
        version=rules.version,
        winners=[
            Winner(
                rule=_name(choice.rule),
                replies=[_sent(answer) for answer in ready if answer.rule is choice.rule],
            )
            for choice in found.chosen
        ],
        near_misses=[Miss(rule=_name(miss.rule), reason=miss.reason) for miss in found.near_misses],
        more_near_misses=found.more,
    )


async def _compiled(session: AsyncSession, most: int) -> RuleSet:
    loaded = await store.load_all(session)
    return await asyncio.to_thread(compile_rules, loaded.rules, loaded.version, most)


def _name(rule: Rule) -> RuleName:
    return RuleName(id=rule.id, name=rule.name, kind=rule.kind, priority=rule.priority)


def _sent(answer: Answer) -> SentReply:
    return SentReply(
        reply=answer.reply.model_dump(mode="json"), not_sent=answer.skipped or answer.failed
    )
