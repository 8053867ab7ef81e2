"""Says in an operator's words which condition does not hold, or depends on the follower. Pure."""

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
    refusal: UnmetCondition, conditions: Conditions, rule_id: int, query: ExplainQuery
) -> str:
    """Return what the unmet condition requires, and what was the case."""
    match refusal:
        case UnmetCondition.NOT_BEGUN | UnmetCondition.OVER:
            return _period(refusal, conditions, query.now)
        case UnmetCondition.HOURS if conditions.hours is not None:
            return _hours(conditions.hours, query.now)
        case UnmetCondition.SHARE if conditions.share is not None:
            return _share(conditions.share, query)
        case UnmetCondition.NO_FACTS:
            return "the facts about the follower can't be read at the moment"
    return _facts(refusal, conditions, rule_id, query)


def open_questions(conditions: Conditions, query: ExplainQuery) -> Iterator[str]:
    """Yield the conditions that depend on who the follower is, as clauses after 'the follower'."""
    if conditions.share is not None:
        yield f"belongs to a share of {conditions.share.percent:g} % of followers"
    if conditions.follower is not None and not isinstance(query.message, Subscribe):
        yield from _of_a_follower(conditions.follower)
    if conditions.unionid is not None:
        yield f"has {_unionid(conditions.unionid == 'known')}"
    if conditions.cooldown_seconds is not None:
        yield f"was not answered by it within {conditions.cooldown_seconds:,} s (cooldown)"


def _of_a_follower(required: Follower) -> Iterator[str]:
    if required.state is not None:
        yield "follows" if required.state == "following" else "has unfollowed"
    if required.min_age_seconds is not None:
        yield f"has followed for {required.min_age_seconds:,} s or longer"
    if required.max_age_seconds is not None:
        yield f"has followed for {required.max_age_seconds:,} s at most"


def _period(refusal: UnmetCondition, conditions: Conditions, now: datetime) -> str:
    is_over = refusal is UnmetCondition.OVER
    edge = conditions.until if is_over else conditions.from_
    if edge is None:
        raise ValueError("the period has no such edge")
    was = now.astimezone(edge.tzinfo).isoformat(timespec="seconds")
    verb = "period ended at" if is_over else "period begins at"
    return f"its {verb} {edge.isoformat(timespec='seconds')}, and it was {was}"


def _hours(hours: Hours, now: datetime) -> str:
    local = now.astimezone(ZoneInfo(hours.tz))
    days = "" if hours.days is None else f" on {', '.join(_DAYS[day - 1] for day in hours.days)}"
    return (
        f"it answers from {hours.start} to {hours.end}{days}, and it was "
        f"{_DAYS[local.isoweekday() - 1]} {local:%H:%M} {hours.tz}"
    )


def _share(share: Share, query: ExplainQuery) -> str:
    place = bucket_of(share, query.appid, query.openid) * 100 / BUCKETS
    return f"its share ends at {share.percent:g} %, and this follower is drawn at {place:.2f} %"


def _facts(
    refusal: UnmetCondition, conditions: Conditions, rule_id: int, query: ExplainQuery
) -> str:
    facts = as_of(query.message, query.facts or Facts()) or Facts()
    required = conditions.follower or Follower()
    age = 0.0 if facts.followed_at is None else (query.now - facts.followed_at).total_seconds()
    followed = f"the follower has followed for {age:,.0f} s"
    match refusal:
        case UnmetCondition.STATE:
            return (
                "the follower has unfollowed, and it answers only followers"
                if facts.following is False
                else "the follower has not unfollowed, and it answers only those who have"
            )
        case UnmetCondition.AGE_UNKNOWN:
            return "it is not known since when the follower follows"
        case UnmetCondition.TOO_YOUNG:
            return f"{followed}, and it answers from {required.min_age_seconds:,} s on"
        case UnmetCondition.TOO_OLD:
            return f"{followed}, and it answers up to {required.max_age_seconds:,} s"
        case UnmetCondition.UNIONID:
            return f"the follower has {_unionid(facts.unionid_known)}"
    since = (query.now - facts.fired[rule_id]).total_seconds()
    return (
        f"it answered this follower {since:,.0f} s ago, and its cooldown is "
        f"{conditions.cooldown_seconds:,} s"
    )


def _unionid(known: bool) -> str:
    return f"{'a known' if known else 'no known'} UnionID"
