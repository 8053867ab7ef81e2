"""Cooldowns of answers that are spooled: the database does not know of them yet.

Facts can be read again before the spool is drained. Until then this process alone knows that a rule
has answered somebody. Another process does not: with several, a follower may get such an answer
once from each of them.
"""

from collections import OrderedDict
from collections.abc import Mapping
from datetime import datetime
from typing import Final

from app.callback.record import Record

# About 30 MB. The oldest are forgotten first.
MAX_FOLLOWERS: Final = 100_000

_NOTHING: Final[Mapping[int, datetime]] = {}


class SpooledCooldowns:
    """When a rule with a cooldown last answered a follower, by this process and from the spool."""

    def __init__(self) -> None:
        self._fired: OrderedDict[tuple[str, str], dict[int, datetime]] = OrderedDict()

    def remember(self, record: Record) -> None:
        """Remember the answers of a record that was spooled."""
        if not record.claims:
            return
        follower = (record.appid, record.openid)
        fired = self._fired.setdefault(follower, {})
        fired.update((claim.rule_id, record.received_at) for claim in record.claims)
        self._fired.move_to_end(follower)
        if len(self._fired) > MAX_FOLLOWERS:
            self._fired.popitem(last=False)

    def fired(self, appid: str, openid: str) -> Mapping[int, datetime]:
        """Return when rules last answered a follower."""
        return self._fired.get((appid, openid), _NOTHING) if self._fired else _NOTHING
