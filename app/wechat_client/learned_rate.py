"""How often an account may call an API of which WeChat has said that it is called too often. Pure.

WeChat names no number with 45011. What it took in the minute before is what the minute allows.
Source: protocol 11.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from app.wechat_client.call_rate import CallRate

MINUTE: Final = timedelta(minutes=1)
# Below what WeChat took: calls do not arrive as evenly as they are made.
SHARE: Final = 0.95
# WeChat may have meant another program's calls, so the rate grows again: by a half each minute.
GROWTH: Final = 1.5
# It is forgotten after so many minutes of growth, at more than fifty times.
GROWING_MINUTES: Final = 10
# Each refusal after the first one doubles the time until it grows, up to this many minutes.
MAX_HELD_MINUTES: Final = 10
# Refusals with no more than this between them count as repeated.
KEPT: Final = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class LearnedRate:
    """What WeChat took before it refused a call with 45011.

    refused_at: the latest refusal. refusals: how many there were, one after the other. calls: that
    it took in the minute before; None: that is not known.
    """

    refused_at: datetime
    refusals: int
    calls: int | None

    def rate(self, now: datetime) -> CallRate | None:
        """Return the rate that holds now; None: none is known, or it is forgotten."""
        if self.calls is None:
            return None
        # All calls wait for a minute first; see `pauses`.
        held = MINUTE * (1 + min(2 ** (min(self.refusals, 10) - 1) - 1, MAX_HELD_MINUTES))
        growing = max((now - self.refused_at - held) / MINUTE, 0.0)
        if growing > GROWING_MINUTES:
            return None
        return CallRate(max(1, int(self.calls * SHARE * GROWTH**growing)), 60)
