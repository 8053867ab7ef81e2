"""Answers a question about rules: reads what it depends on, and writes the explanation as JSON."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from datetime import datetime

from pydantic import ConfigDict
from sqlalchemy.ext.asyncio import AsyncSession

from app.api_model import ApiModel
from app.rules import store
from app.rules.background import background_work
from app.rules.explaining.explain import Compared, Explanation, explain
from app.rules.explaining.preview import SentReply, preview
from app.rules.explaining.question import (
    ANYBODY,
    DEFAULT_NEAR_MISSES,
    ExplainQuery,
    Question,
    account_of,
    message_of,
)
from app.rules.follower_reader import read_facts
from app.rules.matching.compile_valid import UnusableRule, compile_valid, unusable_rules
from app.rules.matching.render_replies import render_replies
from app.rules.matching.rule_set import Rule, RuleSet
from app.settings import Settings
from app.wechat.ids import AppId
from app.wechat.inbound import Inbound, dedupe_key, subject_openid


class RuleName(ApiModel):
    """Which rule it is."""

    model_config = ConfigDict(frozen=True)

    id: int
    """The id of the rule."""
    name: str
    """Its name."""
    kind: str
    """The kind of its trigger in one word."""
    priority: int
    """Its priority."""


class Winner(ApiModel):
    """A rule that answers."""

    rule: RuleName
    """The rule."""
    only_if: list[str]
    """What must be true of the follower, if the question does not name one; the next winner answers
    all others.
    """
    replies: list[SentReply]
    """What it sends if no earlier winner with an `only_if` answers."""


class Miss(ApiModel):
    """A rule that nearly answers, and why it does not."""

    rule: RuleName
    """The rule."""
    reason: str
    """Why it does not answer."""


class Explained(ApiModel):
    """Which rules answer a message, and why others do not."""

    appid: str
    """The account that the question is about."""
    version: int
    """The version of the rules."""
    winners: list[Winner]
    """The rules that answer, the best first."""
    near_misses: list[Miss]
    """Rules that nearly answer."""
    more_near_misses: int
    """How many near misses were left off the list."""
    unread_disabled: int
    """How many rules that are switched off were not looked at."""
    truncated: bool
    """Whether near misses are missing from the list."""
    left_out: list[UnusableRule]
    """Invalid rules, which answer nobody until they are corrected."""


async def explain_question(
    session: AsyncSession,
    question: Question,
    now: datetime,
    settings: Settings,
    *,
    served: Callable[[], Awaitable[RuleSet | None]] | None = None,
    compared: Compared | None = None,
) -> Explained:
    """Return the explanation that a question asks for. Raises InvalidRequest.

    now: the time of the message if the question gives none. served: returns the rules that this
    process serves; None: the rules are read from the database. compared: see `explain`.
    """
    at = question.at or now
    appid = account_of(question, settings)
    message = message_of(question, appid, at, settings)
    live = None if served is None else await served()
    return await explain_message(
        session,
        live,
        appid,
        message,
        at,
        most=settings.rules_per_message,
        limit=question.limit,
        compared=compared,
    )


async def explain_message(
    session: AsyncSession,
    live: RuleSet | None,
    appid: AppId,
    message: Inbound,
    now: datetime,
    *,
    most: int,
    limit: int = DEFAULT_NEAR_MISSES,
    compared: Compared | None = None,
) -> Explained:
    """Return what would be answered to a message at `now`.

    live: the rules that are served; None: they are read from the database. For a message from
    ANYBODY, the winners say what depends on the follower. most: how many rules may answer one
    message. limit: how many near misses to list. compared: see `explain`.
    """
    left_out: list[UnusableRule] = []
    rules = live
    if rules is None:
        rules = await _compiled(session, most, left_out)
    left_out += [
        UnusableRule(id=rule_id, problem=f"can't be used: GET /api/rules/{rule_id} says why")
        for rule_id in rules.left_out
    ]
    off = await store.read_disabled(session)
    openid = subject_openid(message)
    facts = None
    if openid != ANYBODY:
        facts = (await read_facts(session, appid, openid)).until(now)
    query = ExplainQuery(appid, message, facts, now)
    with background_work():
        found = await asyncio.to_thread(explain, rules, off.rules, query, limit, compared)
    left_out += unusable_rules(off.broken)
    left_out += [UnusableRule(id=miss.rule.id, problem=miss.reason) for miss in found.broken]
    return Explained(
        appid=appid,
        version=rules.version,
        winners=list(_winners(found, query)),
        near_misses=[Miss(rule=_name(miss.rule), reason=miss.reason) for miss in found.near_misses],
        more_near_misses=found.more,
        unread_disabled=off.more,
        truncated=found.more > 0 or off.more > 0 or not found.all_compared,
        left_out=left_out,
    )


async def _compiled(session: AsyncSession, most: int, left_out: list[UnusableRule]) -> RuleSet:
    loaded = await store.load_all(session)
    compiled = await asyncio.to_thread(compile_valid, loaded.rules, loaded.version, most)
    left_out += [*unusable_rules(loaded.broken), *compiled.broken]
    return compiled.rules


def _winners(found: Explanation, query: ExplainQuery) -> Iterator[Winner]:
    for number, winner in enumerate(found.winners):
        before = [other.chosen for other in found.winners[:number] if not other.only_if]
        yield Winner(
            rule=_name(winner.chosen.rule),
            only_if=list(winner.only_if),
            replies=[
                preview(rendered, query.message)
                for rendered in render_replies(
                    [*before, winner.chosen],
                    query.message,
                    appid=query.appid,
                    push_key=dedupe_key(query.appid, query.message),
                )
                if rendered.rule is winner.chosen.rule
            ],
        )


def _name(rule: Rule) -> RuleName:
    return RuleName(id=rule.id, name=rule.name, kind=rule.kind, priority=rule.priority)
