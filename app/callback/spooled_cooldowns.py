"""Cooldowns of answers that are spooled: the database does not know of them yet.

Facts can be read again before the spool is drained. Until then this process alone knows that a rule
has answered somebody. Another process does not: with several, a follower may get such an answer
once from each of them.
"""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from app.callback.record import Record

# About 40 MB. The oldest are forgotten first.
MAX_FOLLOWERS: Final = 100_000

_Follower = tuple[str, str]


class _Answer(NamedTuple):
    """When a rule answered, and the push that it answered."""

    at: datetime
    dedupe_key: bytes


class SpooledCooldowns:
    """When a rule with a cooldown last answered a follower, by this process and from the spool."""

    def __init__(self) -> None:
        self._fired: OrderedDict[_Follower, dict[int, _Answer]] = OrderedDict()

    def remember(self, record: Record) -> None:
        """Remember the answers of a record that was spooled."""
        if not record.claims:
            return
        fired = self._fired.setdefault(_follower(record), {})
        _answer(fired, record)
        self._fired.move_to_end(_follower(record))
        if len(self._fired) > MAX_FOLLOWERS:
            self._fired.popitem(last=False)

    def fired(self, appid: str, openid: str) -> Mapping[int, datetime]:
        """Return when rules last answered a follower."""
        fired = self._fired.get((appid, openid)) if self._fired else None
        return {} if fired is None else {rule_id: one.at for rule_id, one in fired.items()}

    def lost(self, batch: Sequence[Record]) -> list[frozenset[int]]:
        """Return for each record which of its rules have answered another push meanwhile.

        Of two records of one batch the earlier one wins, and copies of one push win or lose
        together. Pushes that come at once are decided before any of them is spooled.
        """
        present: dict[_Follower, dict[int, _Answer]] = {}
        losses = []
        for record in batch:
            lost = frozenset[int]()
            if record.claims:
                follower = _follower(record)
                fired = present.setdefault(follower, dict(self._fired.get(follower, {})))
                lost = _lost(record, fired)
                if not lost:
                    _answer(fired, record)
            losses.append(lost)
        return losses


def _follower(record: Record) -> _Follower:
    return record.appid, record.openid


def _answer(fired: dict[int, _Answer], record: Record) -> None:
    answer = _Answer(record.received_at, record.dedupe_key)
    fired.update((claim.rule_id, answer) for claim in record.claims)


def _lost(record: Record, fired: Mapping[int, _Answer]) -> frozenset[int]:
    return frozenset(
        claim.rule_id
        for claim in record.claims
        if (answer := fired.get(claim.rule_id)) is not None
        and answer.dedupe_key != record.dedupe_key
        and record.received_at < answer.at + timedelta(seconds=claim.cooldown_seconds)
    )
