"""An explanation, read from the database and written for operators."""

import asyncio
from collections.abc import Iterator
from datetime import datetime

from pydantic import BaseModel, ConfigDict
from sqlalchemy.ext.asyncio import AsyncSession

from app.rules import store
from app.rules.background import background_work
from app.rules.explaining.explain import DEFAULT_NEAR_MISSES, Explanation, explain
from app.rules.explaining.preview import ANYBODY, SentReply, as_sent
from app.rules.explaining.question import ExplainQuery
from app.rules.follower_reader import read_facts
from app.rules.matching.compile_valid import UnusableRule, compile_valid, unusable_rules
from app.rules.matching.render_replies import render_replies
from app.rules.matching.rule_set import Rule, RuleSet
from app.wechat.ids import AppId
from app.wechat.inbound import Inbound, subject_openid


class RuleName(BaseModel):
    """Which rule. kind: what it waits for, in one word."""

    model_config = ConfigDict(frozen=True)

    id: int
    name: str
    kind: str
    priority: int


class Winner(BaseModel):
    """A rule that answers.

    only_if: what the follower must be for that, as long as nobody says who it is; to all others
    the next winner answers. replies: as if no such rule before it answered.
    """

    rule: RuleName
    only_if: list[str]
    replies: list[SentReply]


class Miss(BaseModel):
    """A rule that nearly answers, and why it does not."""

    rule: RuleName
    reason: str


class Explained(BaseModel):
    """winners: best first. left_out: rules that answer nobody until they are put right.

    truncated: whether there are near misses beside those listed: more_near_misses of them were
    left off, and unread_disabled switched-off rules were not looked at.
    """

    version: int
    winners: list[Winner]
    near_misses: list[Miss]
    more_near_misses: int
    unread_disabled: int
    truncated: bool
    left_out: list[UnusableRule]


async def explain_message(
    session: AsyncSession,
    live: RuleSet | None,
    appid: AppId,
    message: Inbound,
    now: datetime,
    *,
    most: int,
    limit: int = DEFAULT_NEAR_MISSES,
) -> Explained:
    """Return what would be answered at `now`. live: the rules that are served; None: read them.

    A message of ANYBODY is answered as far as it does not matter who sends it. limit: how many
    near misses to list.
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
    asked = ExplainQuery(appid, message, facts, now)
    with background_work():
        found = await asyncio.to_thread(explain, rules, off.rules, asked, limit)
    left_out += unusable_rules(off.broken)
    left_out += [UnusableRule(id=miss.rule.id, problem=miss.reason) for miss in found.broken]
    return Explained(
        version=rules.version,
        winners=list(_winners(found, asked)),
        near_misses=[Miss(rule=_name(miss.rule), reason=miss.reason) for miss in found.near_misses],
        more_near_misses=found.more,
        unread_disabled=off.more,
        truncated=found.more > 0 or off.more > 0,
        left_out=left_out,
    )


async def _compiled(session: AsyncSession, most: int, left_out: list[UnusableRule]) -> RuleSet:
    loaded = await store.load_all(session)
    sound = await asyncio.to_thread(compile_valid, loaded.rules, loaded.version, most)
    left_out += [*unusable_rules(loaded.broken), *sound.broken]
    return sound.rules


def _winners(found: Explanation, asked: ExplainQuery) -> Iterator[Winner]:
    for number, winner in enumerate(found.winners):
        before = [other.chosen for other in found.winners[:number] if not other.only_if]
        yield Winner(
            rule=_name(winner.chosen.rule),
            only_if=list(winner.only_if),
            replies=[
                as_sent(answer, asked.message)
                for answer in render_replies(
                    [*before, winner.chosen], asked.message, appid=asked.appid
                )
                if answer.rule is winner.chosen.rule
            ],
        )


def _name(rule: Rule) -> RuleName:
    return RuleName(id=rule.id, name=rule.name, kind=rule.kind, priority=rule.priority)
