"""Conditions that do not hold, or depend on who asks, in the operator's words. Pure."""

from collections.abc import Iterator
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from app.rules.definition.conditions import Conditions, Follower, Hours, Share
from app.rules.explaining.question import ExplainQuery
from app.rules.matching.check_conditions import BUCKETS, UnmetCondition, as_of, bucket_of
from app.rules.matching.follower_facts import Facts
from app.wechat.inbound import Subscribe

_DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def describe_refusal(
    refusal: UnmetCondition, conditions: Conditions, rule_id: int, asked: ExplainQuery
) -> str:
    """Return a refusal with the figures that it is about."""
    match refusal:
        case UnmetCondition.NOT_BEGUN | UnmetCondition.OVER:
            return _period(refusal, conditions, asked.now)
        case UnmetCondition.HOURS if conditions.hours is not None:
            return _hours(conditions.hours, asked.now)
        case UnmetCondition.SHARE if conditions.share is not None:
            return _share(conditions.share, asked)
        case UnmetCondition.NO_FACTS:
            return "nothing is known of the follower at the moment"
    return _facts(refusal, conditions, rule_id, asked)


def open_questions(conditions: Conditions, asked: ExplainQuery) -> Iterator[str]:
    """Yield what only the follower decides, as what the rule wants of one."""
    if conditions.share is not None:
        yield f"belongs to a share of {conditions.share.percent:g} % of followers"
    if conditions.follower is not None and not isinstance(asked.message, Subscribe):
        yield from _of_a_follower(conditions.follower)
    if conditions.unionid is not None:
        yield f"has {_unionid(conditions.unionid == 'known')}"
    if conditions.cooldown_seconds is not None:
        yield f"was not answered by it within {conditions.cooldown_seconds:,} s (cooldown)"


def _of_a_follower(wanted: Follower) -> Iterator[str]:
    if wanted.state is not None:
        yield "follows" if wanted.state == "following" else "has left"
    if wanted.min_age_seconds is not None:
        yield f"has followed for {wanted.min_age_seconds:,} s or longer"
    if wanted.max_age_seconds is not None:
        yield f"has followed for {wanted.max_age_seconds:,} s at most"


def _period(refusal: UnmetCondition, conditions: Conditions, now: datetime) -> str:
    begun = refusal is UnmetCondition.OVER
    edge = conditions.until if begun else conditions.from_
    if edge is None:
        raise ValueError("a period that has no such edge refuses nothing")
    was = now.astimezone(edge.tzinfo).isoformat(timespec="seconds")
    verb = "period is over since" if begun else "period begins at"
    return f"its {verb} {edge.isoformat(timespec='seconds')}, and it was {was}"


def _hours(hours: Hours, now: datetime) -> str:
    local = now.astimezone(ZoneInfo(hours.tz))
    days = "" if hours.days is None else f" on {', '.join(_DAYS[day - 1] for day in hours.days)}"
    return (
        f"it answers from {hours.start} to {hours.end}{days}, and it was "
        f"{_DAYS[local.isoweekday() - 1]} {local:%H:%M} {hours.tz}"
    )


def _share(share: Share, asked: ExplainQuery) -> str:
    place = bucket_of(share, asked.appid, asked.openid) * 100 / BUCKETS
    return f"its share ends at {share.percent:g} %, and this follower is drawn at {place:.2f} %"


def _facts(
    refusal: UnmetCondition, conditions: Conditions, rule_id: int, asked: ExplainQuery
) -> str:
    facts = as_of(asked.message, asked.facts or Facts()) or Facts()
    wanted = conditions.follower or Follower()
    age = 0.0 if facts.followed_at is None else (asked.now - facts.followed_at).total_seconds()
    followed = f"the follower has followed for {age:,.0f} s"
    match refusal:
        case UnmetCondition.STATE:
            return (
                "the follower has left, and it answers those who follow"
                if facts.following is False
                else "the follower has not left, and it answers those who have"
            )
        case UnmetCondition.AGE_UNKNOWN:
            return "nobody knows since when the follower follows"
        case UnmetCondition.TOO_YOUNG:
            return f"{followed}, and it answers from {wanted.min_age_seconds:,} s on"
        case UnmetCondition.TOO_OLD:
            return f"{followed}, and it answers up to {wanted.max_age_seconds:,} s"
        case UnmetCondition.UNIONID:
            return f"the follower has {_unionid(facts.unionid_known)}"
    since = (asked.now - facts.fired[rule_id]).total_seconds()
    return (
        f"it answered this follower {since:,.0f} s ago, and its cooldown is "
        f"{conditions.cooldown_seconds:,} s"
    )


def _unionid(known: bool) -> str:
    return f"{'a known' if known else 'no known'} UnionID"
