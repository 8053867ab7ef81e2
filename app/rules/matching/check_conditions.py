"""Checks the conditions of a rule against the time and the follower. Pure."""

import hashlib
from dataclasses import replace
from datetime import UTC, datetime
from enum import Enum, auto
from typing import Final

from app.rules.definition.conditions import Conditions, Follower, Share
from app.rules.matching.follower_facts import Facts
from app.wechat.inbound import Inbound, Subscribe

BUCKETS: Final = 10_000


class UnmetCondition(Enum):
    """The condition that does not hold; `condition_reason.describe_refusal` puts it into words."""

    NOT_BEGUN = auto()
    OVER = auto()
    HOURS = auto()
    SHARE = auto()
    NO_FACTS = auto()
    STATE = auto()
    AGE_UNKNOWN = auto()
    TOO_YOUNG = auto()
    TOO_OLD = auto()
    UNIONID = auto()
    COOLDOWN = auto()


def refused_by_time_or_share(
    conditions: Conditions, now: datetime, appid: str, openid: str
) -> UnmetCondition | None:
    """Return the condition on the time or the share that does not hold; None if both hold."""
    refusal = refused_by_time(conditions, now)
    if refusal is not None:
        return refusal
    if conditions.share is not None and not in_share(conditions.share, appid, openid):
        return UnmetCondition.SHARE
    return None


def refused_by_time(conditions: Conditions, now: datetime) -> UnmetCondition | None:
    """Return the condition on the time that does not hold; None if the rule may answer now."""
    if conditions.from_ is not None and now < conditions.from_:
        return UnmetCondition.NOT_BEGUN
    if conditions.until is not None and now >= conditions.until:
        return UnmetCondition.OVER
    if conditions.hours is not None and not conditions.hours.hold(now):
        return UnmetCondition.HOURS
    return None


def refused_by_facts(
    conditions: Conditions, rule_id: int, facts: Facts | None, now: datetime
) -> UnmetCondition | None:
    """Return the condition on the follower that does not hold; None if all hold.

    facts: None if they could not be read; then no rule that depends on them answers.
    """
    if not conditions.ask_facts:
        return None
    if facts is None:
        return UnmetCondition.NO_FACTS
    if conditions.follower is not None:
        refusal = _refused_follower(conditions.follower, facts, now)
        if refusal is not None:
            return refusal
    if conditions.unionid is not None and facts.unionid_known != (conditions.unionid == "known"):
        return UnmetCondition.UNIONID
    if conditions.cooldown_seconds is not None and rule_id in facts.fired:
        waited = (now - facts.fired[rule_id]).total_seconds()
        if waited < conditions.cooldown_seconds:
            return UnmetCondition.COOLDOWN
    return None


def unmet_for_everyone(
    conditions: Conditions, message: Inbound, now: datetime
) -> UnmetCondition | None:
    """Return a condition that holds for no follower at all; None if there is no such condition."""
    refusal = refused_by_time(conditions, now)
    if refusal is not None or conditions.follower is None or not isinstance(message, Subscribe):
        return refusal
    return _refused_follower(conditions.follower, as_of(message, Facts()) or Facts(), now)


def as_of(message: Inbound, facts: Facts | None) -> Facts | None:
    """Return the facts after the message: a subscribe event makes its sender a follower."""
    if facts is None or not isinstance(message, Subscribe):
        return facts
    followed_at = datetime.fromtimestamp(message.create_time, UTC)
    return replace(facts, following=True, followed_at=followed_at)


def in_share(share: Share, appid: str, openid: str) -> bool:
    """Tell whether a follower belongs to a share. The result never changes for the same salt."""
    return bucket_of(share, appid, openid) < share.percent * (BUCKETS // 100)


def bucket_of(share: Share, appid: str, openid: str) -> int:
    """Return the bucket of a follower at an account: 0 to BUCKETS - 1, evenly distributed."""
    digest = hashlib.blake2b(f"{share.salt}\0{appid}\0{openid}".encode(), digest_size=8).digest()
    return int.from_bytes(digest) % BUCKETS


def _refused_follower(required: Follower, facts: Facts, now: datetime) -> UnmetCondition | None:
    if required.state is not None and (facts.following is False) != (
        required.state == "not_following"
    ):
        return UnmetCondition.STATE
    if required.min_age_seconds is None and required.max_age_seconds is None:
        return None
    if facts.followed_at is None:
        return UnmetCondition.AGE_UNKNOWN
    age = (now - facts.followed_at).total_seconds()
    if required.min_age_seconds is not None and age < required.min_age_seconds:
        return UnmetCondition.TOO_YOUNG
    if required.max_age_seconds is not None and age > required.max_age_seconds:
        return UnmetCondition.TOO_OLD
    return None
