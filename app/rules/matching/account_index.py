"""Finds the triggers that a message matches, among those of one account.

The rules for every account have an index of their own.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Self

from app.rules.definition.triggers import (
    AnyTrigger,
    FallbackTrigger,
    LocationTrigger,
    SubscribeMsgTrigger,
    TextTrigger,
)
from app.rules.matching.event_index import EventIndex
from app.rules.matching.geo import CircleIndex, place_of
from app.rules.matching.notification_results import is_result, results_of
from app.rules.matching.text_index import Deferred, TextIndex
from app.rules.text.normalize import NormalizedText
from app.rules.text.regex import Pattern
from app.rules.text.regex_cost import SearchBudget
from app.wechat import inbound
from app.wechat.inbound import Inbound


def text_of(message: Inbound, budget: SearchBudget | None = None) -> NormalizedText | None:
    """Return the text that was typed, or that WeChat recognised in a voice message.

    None for another message, and for a text of which nothing can be seen: nobody typed a keyword.
    budget: what patterns may take for this text.
    """
    match message:
        case inbound.Text(content=content) | inbound.Voice(recognition=content):
            text = NormalizedText(content, budget)
            return None if text.is_blank else text
    return None


@dataclass(frozen=True, slots=True)
class AccountIndex:
    """Compiled triggers, each known by the rank of its rule.

    texts: all text triggers. voices: the text triggers that also match voice messages. circles:
    None without location triggers. notifications: rank and trigger, by rising rank. fallbacks:
    ranks, ascending.
    """

    texts: TextIndex
    voices: TextIndex
    events: EventIndex
    circles: CircleIndex | None
    notifications: tuple[tuple[int, SubscribeMsgTrigger], ...]
    fallbacks: tuple[int, ...]

    @classmethod
    def of(cls, triggers: Iterable[tuple[int, AnyTrigger]]) -> Self:
        """Compile triggers. triggers: rank and trigger, by rising rank. Raises BadPattern."""
        texts: list[tuple[int, TextTrigger]] = []
        locations: list[tuple[int, LocationTrigger]] = []
        notifications: list[tuple[int, SubscribeMsgTrigger]] = []
        fallbacks: list[int] = []
        others: list[tuple[int, AnyTrigger]] = []
        for rank, trigger in triggers:
            match trigger:
                case TextTrigger():
                    texts.append((rank, trigger))
                case LocationTrigger():
                    locations.append((rank, trigger))
                case SubscribeMsgTrigger():
                    notifications.append((rank, trigger))
                case FallbackTrigger():
                    fallbacks.append(rank)
                case _:
                    others.append((rank, trigger))
        return cls(
            TextIndex.of(texts),
            TextIndex.of((rank, trigger) for rank, trigger in texts if trigger.voice),
            EventIndex.of(others),
            CircleIndex(locations) if locations else None,
            tuple(notifications),
            tuple(fallbacks),
        )

    def hits(self, message: Inbound, text: NormalizedText | None) -> set[int]:
        """Return the ranks that certainly match and are found at once; fallbacks are left out."""
        found = set(self.events.ranks(message))
        if text is not None:
            found |= self._texts(message).hits(text)
        if self.circles is not None:
            point = place_of(message)
            if point is not None:
                found.update(self.circles.around(point))
        if self.notifications:
            for template, status in results_of(message):
                found.update(
                    rank
                    for rank, trigger in self.notifications
                    if is_result(trigger, template, status)
                )
        return found

    def candidates(self, message: Inbound, text: NormalizedText) -> Iterator[tuple[int, Pattern]]:
        """Yield ranks that may match, each with the pattern that decides it."""
        return self._texts(message).candidates(text)

    def deferred(self, message: Inbound) -> tuple[Deferred, ...]:
        """Return the searches to run last for a message with a text, by rising lowest rank."""
        return self._texts(message).deferred

    def _texts(self, message: Inbound) -> TextIndex:
        return self.voices if isinstance(message, inbound.Voice) else self.texts
