"""Which messages a list shows, and what became of them. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from app.funnel.steps import Basis
from app.replies.models import ReplyStatus

EVENT = "event"


class Fate(StrEnum):
    """What became of a message, or of one of its replies; the others are those of ReplyStatus.

    unanswered: no rule answered it. passive: a reply went with the response to WeChat. uncertain:
    a reply may have arrived, see ReplyStatus.
    """

    UNANSWERED = "unanswered"
    PASSIVE = "passive"
    UNCERTAIN = "uncertain"
    PENDING = ReplyStatus.PENDING.value
    SENDING = ReplyStatus.SENDING.value
    HELD = ReplyStatus.HELD.value
    SENT = ReplyStatus.SENT.value
    FAILED = ReplyStatus.FAILED.value
    EXPIRED = ReplyStatus.EXPIRED.value
    SKIPPED = ReplyStatus.SKIPPED.value


@dataclass(frozen=True, slots=True)
class MessageRow:
    """A push in a list. rule_name: its name now; None if the rule is gone.

    text: what the follower typed or said, or the key of an event; None if there is none. erased:
    whether the content is gone. fates: of a passive reply, then of each other one in the order of
    the rule; empty if nothing was to be sent.
    """

    id: UUID
    appid: str
    openid: str
    msgtype: str
    event: str | None
    occurred_at: datetime
    received_at: datetime
    rule_id: int | None
    rule_name: str | None
    text: str | None
    erased: bool
    fates: tuple[Fate, ...]

    @property
    def kind(self) -> str:
        """The type of a message, or the name of an event."""
        return self.event or self.msgtype


class Reached(StrEnum):
    """A step of the funnel that a message reached; see `funnel.steps`."""

    RECEIVED = "received"
    MATCHED = "matched"
    FOLLOWED = "followed"
    SENT = "sent"


@dataclass(frozen=True, slots=True)
class CountedMessages:
    """What the funnel counts at a step for a door, by its name in `funnel_touches`.

    basis: what was opened within its windows counts as sent, too.
    """

    step: Reached
    door: str
    basis: Basis


@dataclass(frozen=True, slots=True)
class MessageFilter:
    """Which messages; None: any. kind: a message type or the name of an event.

    text: a part of it, in any case. rule_id: of the best rule that answered. since, until: of the
    time of arrival; until is not included. counted: what the funnel counts; since and until are of
    the time by which it counts then, CreateTime.
    """

    appid: str | None = None
    kind: str | None = None
    text: str | None = None
    rule_id: int | None = None
    fate: Fate | None = None
    since: datetime | None = None
    until: datetime | None = None
    counted: CountedMessages | None = None

    @property
    def searches(self) -> bool:
        """Whether each row has to be looked at, since no index finds those that fit."""
        wanted: Sequence[object] = (
            *(self.appid, self.kind, self.text, self.rule_id, self.fate),
            self.counted,
        )
        return any(one is not None for one in wanted)

    def fits(self, row: MessageRow) -> bool:
        """Tell whether a message that arrives now fits; the time of arrival is not looked at.

        What arrives now is not counted yet.
        """
        return (
            self.counted is None
            and self.appid in {None, row.appid}
            and self.kind in {None, row.kind}
            and (self.text is None or self.text.lower() in (row.text or "").lower())
            and self.rule_id in {None, row.rule_id}
            and (self.fate is None or self.fate in fates_of(row))
        )


def fates_of(row: MessageRow) -> frozenset[Fate]:
    """Return every fate under which a filter finds a message."""
    if row.rule_id is None and row.msgtype != EVENT:
        return frozenset({Fate.UNANSWERED, *row.fates})
    return frozenset(row.fates)
