"""Compares what the simulator saw with what the tables hold. Pure: no service is needed for it."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from math import inf
from typing import Any

ACKNOWLEDGED = frozenset({"success", "passive"})

Entry = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Push:
    """One push. waited: seconds from its creation until it was acknowledged; None if it never was.

    made_at: its creation, in Unix seconds. The deliveries that WeChat repeats belong to one push.
    """

    openid: str
    made_at: float
    waited: float | None


@dataclass(frozen=True, slots=True)
class Tables:
    """What was kept: how many callbacks each OpenID has, and how many cards it was shown."""

    callbacks: Counter[str]
    cards: Counter[str]


@dataclass(frozen=True, slots=True)
class Figures:
    """What one campaign cost.

    refused: pushes of which no delivery was acknowledged. lost: acknowledged, but not stored.
    doubled: callbacks that were stored once more. cards_doubled: cards that were shown once more.
    cards_missing: people with a stored callback and no card. worst: the longest wait in seconds
    for an acknowledgement. goodput: acknowledged pushes a second. recovery: seconds from the end
    of the fault until the service was whole again; None if it was not within the time.
    refused_after: pushes that were refused although they were made after the recovery.
    """

    sent: int
    acknowledged: int
    lost: int
    doubled: int
    cards_missing: int
    cards_doubled: int
    worst: float
    goodput: float
    recovery: float | None
    refused_after: int = 0
    notes: tuple[str, ...] = ()

    @property
    def refused(self) -> int:
        """Pushes that WeChat gave up."""
        return self.sent - self.acknowledged

    @property
    def kept_its_word(self) -> bool:
        """Whether everything acknowledged is stored, once."""
        return not self.lost and not self.doubled

    def named(self) -> dict[str, str]:
        """Return each figure as text, by its name."""
        recovery = "never" if self.recovery is None else f"{self.recovery:.1f} s"
        refused = f"{self.refused}"
        if self.refused_after:
            refused += f" ({self.refused_after} after the recovery)"
        return {
            "sent": f"{self.sent}",
            "acknowledged": f"{self.acknowledged}",
            "refused": refused,
            "lost": f"{self.lost}",
            "doubled": f"{self.doubled}",
            "cards missing": f"{self.cards_missing}",
            "cards doubled": f"{self.cards_doubled}",
            "worst latency": f"{self.worst:.2f} s",
            "goodput": f"{self.goodput:.0f}/s",
            "recovery": recovery,
        }

    def line(self, name: str) -> str:
        """Return the figures as one line."""
        parts = [f"{figure} {text}" for figure, text in self.named().items()]
        return f"{name}: {', '.join([*parts, *self.notes])}"


def pushes_of(entries: Iterable[Entry]) -> list[Push]:
    """Return the pushes of the simulator's ledger: entries of the kinds push and delivery."""
    made: dict[int, Entry] = {}
    acknowledged: dict[int, str] = {}
    for entry in entries:
        if entry["kind"] == "push":
            made[entry["id"]] = entry
        elif entry["kind"] == "delivery" and entry["answer"]["verdict"] in ACKNOWLEDGED:
            acknowledged.setdefault(entry["push_id"], entry["at"])
    return [_push(entry, acknowledged.get(number)) for number, entry in made.items()]


def refusals_of(entries: Iterable[Entry]) -> Counter[str]:
    """Return how the deliveries of each refused push ended, such as `timeout, 503`, and how often.

    It tells a service that refuses from one that no process serves for as long as WeChat tries.
    """
    ends: dict[int, list[str]] = {}
    acknowledged: set[int] = set()
    for entry in entries:
        if entry["kind"] != "delivery":
            continue
        ends.setdefault(entry["push_id"], []).append(str(entry["status"] or entry["outcome"]))
        if entry["answer"]["verdict"] in ACKNOWLEDGED:
            acknowledged.add(entry["push_id"])
    return Counter(", ".join(ends[push]) for push in ends.keys() - acknowledged)


def _push(entry: Entry, acknowledged_at: str | None) -> Push:
    made_at = _unix(entry["at"])
    waited = None if acknowledged_at is None else round(_unix(acknowledged_at) - made_at, 3)
    return Push(entry["openid"], made_at, waited)


def compare(
    pushes: Iterable[Push],
    tables: Tables,
    *,
    seconds: float,
    recovery: float | None,
    recovered_at: float = inf,
    notes: tuple[str, ...] = (),
) -> Figures:
    """Return the figures. seconds: how long the pushes took in all. recovered_at: Unix seconds.

    Each OpenID stands for one push, however many copies of it were sent.
    """
    pushes = list(pushes)
    waits = [push.waited for push in pushes if push.waited is not None]
    promised = {push.openid for push in pushes if push.waited is not None}
    stored = tables.callbacks
    return Figures(
        sent=len(pushes),
        acknowledged=len(waits),
        lost=len(promised - stored.keys()),
        doubled=_more_than_once(stored),
        cards_missing=len(stored.keys() - tables.cards.keys()),
        cards_doubled=_more_than_once(tables.cards),
        worst=max(waits, default=0.0),
        goodput=len(waits) / seconds if seconds else 0.0,
        recovery=recovery,
        refused_after=sum(push.waited is None and push.made_at > recovered_at for push in pushes),
        notes=notes,
    )


def _more_than_once(counts: Counter[str]) -> int:
    return counts.total() - len(counts)


def _unix(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp()
