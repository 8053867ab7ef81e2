"""From a parsed push to the record that is kept: pure, apart from drawing ids."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime

import orjson
from uuid_utils.compat import uuid7

from app.callback.record import Record
from app.events.facts import follow_of, subscriptions_of
from app.identity.people import names_a_person
from app.replies.draft import Draft, drafts
from app.replies.windows import Limits, OpenedWindow, opened_by
from app.rules.engine import Rule, RuleSet
from app.settings import Account
from app.wechat.ids import AppId
from app.wechat.inbound import Format, Inbound, Unsubscribe, dedupe_key, parse, subject_openid
from app.wechat.outbound import Message


@dataclass(frozen=True, slots=True)
class Decision:
    """What a push is answered with. rule: None when none matched, or none are loaded yet."""

    decided: bool
    rule: Rule | None = None

    @property
    def passive(self) -> Message | None:
        """The passive reply of the rule, if it has one."""
        if self.rule is None:
            return None
        return next((reply for reply in self.rule.replies if reply.via == "passive"), None)


def decide(rules: RuleSet | None, appid: str, message: Inbound) -> Decision:
    """Return what to answer. rules: None while none are loaded, which decides nothing.

    Nobody can be answered who has just left.
    """
    if isinstance(message, Unsubscribe):
        return Decision(decided=True)
    if rules is None:
        return Decision(decided=False)
    return Decision(decided=True, rule=rules.choose(AppId(appid), message))


def record_of(
    account: Account, message: Inbound, decision: Decision, *, now: datetime, limits: Limits
) -> Record:
    """Return everything that the push leaves behind."""
    occurred_at = datetime.fromtimestamp(message.create_time, UTC)
    window = opened_by(message, limits)
    passive = decision.passive
    return Record(
        id=uuid7(),
        appid=account.appid,
        dedupe_key=dedupe_key(AppId(account.appid), message),
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
        passive=None if passive is None else passive.model_dump_json(),
        window=window,
        follow=follow_of(message),
        subscriptions=subscriptions_of(message),
        drafts=_drafts(decision, window, occurred_at, limits),
    )


def decide_late(rules: RuleSet, record: Record, limits: Limits) -> Record:
    """Make the choice for a record that came while no rules were loaded.

    It was answered `success`, so a passive reply is past; the queued ones are not.
    """
    message = parse(record.payload, Format.JSON)
    decision = decide(rules, record.appid, message)
    late = _drafts(decision, record.window, record.occurred_at, limits)
    return replace(
        record,
        decided=True,
        rule_id=None if decision.rule is None else decision.rule.id,
        drafts=tuple(draft for draft in late if draft.expires_at is not None),
    )


def _drafts(
    decision: Decision, window: OpenedWindow | None, occurred_at: datetime, limits: Limits
) -> tuple[Draft, ...]:
    """A queued reply is worth sending as long as the window that its push opened."""
    if decision.rule is None:
        return ()
    until = occurred_at + limits.action_life if window is None else window.until
    return drafts(decision.rule.replies, expires_at=until)
