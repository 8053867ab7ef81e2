"""Builds the record of a parsed push. Pure, but for the ids of its parts, which are drawn."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

import orjson

from app.callback.record import Claim, Record
from app.callback.reply_rows import reply_rows
from app.clock import MAX_DIFFERENCE_SECONDS
from app.events.from_push import follow_of, subscriptions_of
from app.privacy.policy import Reach, erasure_request_of
from app.replies.expire import arrived_too_late
from app.replies.models import ReplyStatus
from app.replies.new_reply import NewReply, passive_of
from app.replies.send_windows import Limits, OpenedWindow, later, opened_by
from app.rules.matching.render_replies import Unsendable, nothing_known
from app.rules.matching.rule_set import Chosen, Rule, RuleSet
from app.settings import Account
from app.value_class import value_class
from app.wechat.ids import AppId
from app.wechat.inbound import Format, Inbound, dedupe_key, parse, subject_openid
from app.wechat.inbound.sender import names_a_person

_UNSENT: Final = frozenset({ReplyStatus.SKIPPED, ReplyStatus.FAILED, ReplyStatus.EXPIRED})


@value_class
class Decision:
    """The rules that answer a push. Empty if none matched, or if no rules are loaded yet.

    unsendable: what is known to keep a queued reply from being sent.
    """

    decided: bool
    chosen: tuple[Chosen, ...] = ()
    unsendable: Unsendable = nothing_known

    @property
    def rule(self) -> Rule | None:
        """The best rule that answers."""
        return self.chosen[0].rule if self.chosen else None


UNDECIDED = Decision(decided=False)
NO_RULES = Decision(decided=True)
"""For an event of nobody: there is nobody to answer."""


def build_record(
    account: Account,
    message: Inbound,
    decision: Decision,
    *,
    callback_id: UUID,
    now: datetime,
    limits: Limits,
    reach: Reach,
    signature: bytes | None = None,
) -> Record:
    """Return everything that the push stores.

    now: when it arrived. signature: of a push in plain mode.
    """
    occurred_at = _occurred_at(message, now)
    window = opened_by(message, limits, now=now)
    until = _until(window, occurred_at, limits)
    key = dedupe_key(AppId(account.appid), message)
    drafts = reply_rows(
        decision.chosen,
        message,
        appid=account.appid,
        push_key=key,
        expires_at=until,
        late=_late(occurred_at, now, until),
        unsendable=decision.unsendable,
    )
    return Record(
        id=callback_id,
        appid=account.appid,
        dedupe_key=key,
        openid=subject_openid(message),
        msgtype=message.msgtype,
        event=getattr(message, "event", None),
        occurred_at=occurred_at,
        received_at=now,
        payload=orjson.dumps(message.payload).decode(),
        person=names_a_person(message),
        asks=account.kind == "oa",
        decided=decision.decided,
        rule_id=None if decision.rule is None else decision.rule.id,
        passive=passive_of(drafts),
        window=window,
        follow=follow_of(message),
        subscriptions=subscriptions_of(message),
        drafts=drafts,
        claims=_claims(decision.chosen, drafts),
        duty=erasure_request_of(message, account.appid, reach),
        signature=signature,
    )


def decide_spooled(rules: RuleSet, record: Record, limits: Limits) -> Record:
    """Decide a spooled record that arrived while no rules were loaded.

    The push was answered `success`, so a passive reply can't be sent any more; queued replies can.
    Facts about the follower are not read, since they have changed meanwhile: no rule with a
    cooldown answers, and nothing is claimed.
    """
    message = parse(record.payload, Format.JSON)
    chosen = rules.choose(AppId(record.appid), message, None, record.received_at)
    decision = Decision(decided=True, chosen=chosen)
    until = _until(record.window, record.occurred_at, limits)
    replies = reply_rows(
        chosen,
        message,
        appid=record.appid,
        push_key=record.dedupe_key,
        expires_at=until,
        late=_late(record.occurred_at, record.received_at, until),
    )
    return replace(
        record,
        decided=True,
        rule_id=None if decision.rule is None else decision.rule.id,
        drafts=tuple(
            draft
            for draft in replies
            if draft.expires_at is not None or draft.status is ReplyStatus.EXPIRED
        ),
    )


def _occurred_at(message: Inbound, now: datetime) -> datetime:
    """Return the CreateTime of a push, or when it arrived if that is far ahead.

    Otherwise a push from the future would outrank all that the follower does until then.
    """
    created_at = datetime.fromtimestamp(message.create_time, UTC)
    is_ahead = created_at > later(now, timedelta(seconds=MAX_DIFFERENCE_SECONDS))
    return now if is_ahead else created_at


def _until(window: OpenedWindow | None, occurred_at: datetime, limits: Limits) -> datetime:
    """A queued reply expires with the send window that its push opened."""
    return later(occurred_at, limits.action_life) if window is None else window.until


def _late(occurred_at: datetime, received_at: datetime, until: datetime) -> str | None:
    """Return why no queued reply can be sent, if the push came after the end of its window."""
    return None if received_at < until else arrived_too_late(occurred_at, received_at, until)


def _claims(chosen: Sequence[Chosen], drafts: Sequence[NewReply]) -> tuple[Claim, ...]:
    return tuple(
        Claim(answer.rule.id, answer.rule.conditions.cooldown_seconds)
        for answer in chosen
        if answer.rule.conditions is not None
        and answer.rule.conditions.cooldown_seconds
        and _answers(answer.rule, drafts)
    )


def _answers(rule: Rule, drafts: Sequence[NewReply]) -> bool:
    """Tell whether any reply of a rule is sent: only then its cooldown begins."""
    return any(draft.rule_id == rule.id and draft.status not in _UNSENT for draft in drafts)
