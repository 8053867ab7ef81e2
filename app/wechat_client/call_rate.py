"""How many calls of one API an account may make in a time. Pure."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final


@dataclass(frozen=True, slots=True)
class CallRate:
    """At most so many calls in so many seconds, both at least 1.

    A tenth of them may be made at once; the others follow at equal intervals, so that no span of
    `seconds` holds more than `calls`.
    """

    calls: int
    seconds: int

    @property
    def at_once(self) -> int:
        """How many calls may be made at once after a rest."""
        return max(1, self.calls // 10)

    @property
    def interval(self) -> timedelta:
        """The time between two calls of an account that has made those at once."""
        pauses = self.calls - self.at_once + 1
        # Rounded up: the last one must not fall into the same span.
        return timedelta(microseconds=-(-self.seconds * 1_000_000 // pauses))

    @property
    def period(self) -> timedelta:
        """The span that holds no more than `calls`."""
        return timedelta(seconds=self.seconds)


# Source: linkage 5.5. The links of mini-programs, which share a limit, are counted in `links`.
DEFAULT_RATES: Final = {"wxa/getwxacodeunlimit": CallRate(5000, 60)}


def rate_of(
    api: str, *, set_by_operator: CallRate | None, said_by_wechat: CallRate | None
) -> CallRate | None:
    """Return the rate that holds for an API: the operator's, WeChat's, or that of the references.

    None: the API has none.
    """
    return set_by_operator or said_by_wechat or DEFAULT_RATES.get(api)


def lower(one: CallRate | None, other: CallRate | None) -> CallRate | None:
    """Return the rate that allows fewer calls; None: there is none at all."""
    if one is None or other is None:
        return one or other
    return min(one, other, key=lambda rate: rate.calls / rate.seconds)
