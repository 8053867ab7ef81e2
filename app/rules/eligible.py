"""Whether a rule may answer: its conditions held against the time and the follower. Pure."""

import hashlib
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

from app.rules.conditions import Conditions, Follower, Share
from app.rules.facts import Facts
from app.wechat.inbound import Inbound, Subscribe

_BUCKETS: Final = 10_000


def refused_by_time_or_share(
    conditions: Conditions, now: datetime, appid: str, openid: str
) -> str | None:
    """Return why the rule may not answer now, or not this follower; None if it may."""
    if conditions.from_ is not None and now < conditions.from_:
        return "its period has not begun"
    if conditions.until is not None and now >= conditions.until:
        return "its period is over"
    if conditions.hours is not None and not conditions.hours.hold(now):
        return "it is outside its hours"
    if conditions.share is not None and not in_share(conditions.share, appid, openid):
        return "the follower is outside its share"
    return None


def refused_by_facts(
    conditions: Conditions, rule_id: int, facts: Facts | None, now: datetime
) -> str | None:
    """Return why the rule may not answer this follower; None if it may.

    facts: None when they could not be read; then no rule that asks for them answers.
    """
    if not conditions.ask_facts:
        return None
    if facts is None:
        return "nothing is known of the follower at the moment"
    if conditions.follower is not None:
        refusal = _refused_follower(conditions.follower, facts, now)
        if refusal is not None:
            return refusal
    if conditions.unionid is not None and facts.unionid_known != (conditions.unionid == "known"):
        return f"the follower's UnionID is {'known' if facts.unionid_known else 'unknown'}"
    if conditions.cooldown_seconds is not None and rule_id in facts.fired:
        waited = (now - facts.fired[rule_id]).total_seconds()
        if waited < conditions.cooldown_seconds:
            return "it answered this follower less than its cooldown ago"
    return None


def as_of(message: Inbound, facts: Facts | None) -> Facts | None:
    """Return the facts with what the message itself tells: a follow begins with it."""
    if facts is None or not isinstance(message, Subscribe):
        return facts
    followed_at = datetime.fromtimestamp(message.create_time, UTC)
    return replace(facts, following=True, followed_at=followed_at)


def in_share(share: Share, appid: str, openid: str) -> bool:
    """Tell whether a follower belongs to a share: always the same answer, even over restarts."""
    drawn = hashlib.blake2b(f"{share.salt}\0{appid}\0{openid}".encode(), digest_size=8).digest()
    return int.from_bytes(drawn) % _BUCKETS < share.percent * (_BUCKETS // 100)


def _refused_follower(wanted: Follower, facts: Facts, now: datetime) -> str | None:
    if wanted.state is not None and (facts.following is False) != (wanted.state == "not_following"):
        return f"the follower is {'not ' if facts.following is False else ''}following"
    if wanted.min_age_seconds is None and wanted.max_age_seconds is None:
        return None
    if facts.followed_at is None:
        return "nobody knows since when the follower follows"
    age = (now - facts.followed_at).total_seconds()
    if wanted.min_age_seconds is not None and age < wanted.min_age_seconds:
        return "the follower has not followed for long enough"
    if wanted.max_age_seconds is not None and age > wanted.max_age_seconds:
        return "the follower has followed for too long"
    return None
