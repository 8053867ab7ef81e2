"""The triggers of one account, or those of every account, compiled."""

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
from app.rules.matching.event_index import Occasions
from app.rules.matching.geo import Circles, place_of
from app.rules.matching.notification_results import reports, results_of
from app.rules.matching.text_index import Deferred, Texts
from app.rules.text.normalize import NormalizedText
from app.rules.text.regex import Pattern
from app.wechat import inbound
from app.wechat.inbound import Inbound


def text_of(message: Inbound) -> str | None:
    """Return the text that rules are held against: typed, or recognised in a voice message."""
    match message:
        case inbound.Text():
            return message.content
        case inbound.Voice():
            return message.recognition or None
    return None


@dataclass(frozen=True, slots=True)
class Scope:
    """Triggers by rank. voices: those text triggers that listen as well. fallbacks: ascending."""

    texts: Texts
    voices: Texts
    occasions: Occasions
    places: Circles | None
    consents: tuple[tuple[int, SubscribeMsgTrigger], ...]
    fallbacks: tuple[int, ...]

    @classmethod
    def of(cls, triggers: Iterable[tuple[int, AnyTrigger]]) -> Self:
        """Compile triggers. triggers: rank and trigger, by rising rank. Raises BadPattern."""
        texts: list[tuple[int, TextTrigger]] = []
        places: list[tuple[int, LocationTrigger]] = []
        consents: list[tuple[int, SubscribeMsgTrigger]] = []
        fallbacks: list[int] = []
        others: list[tuple[int, AnyTrigger]] = []
        for rank, trigger in triggers:
            match trigger:
                case TextTrigger():
                    texts.append((rank, trigger))
                case LocationTrigger():
                    places.append((rank, trigger))
                case SubscribeMsgTrigger():
                    consents.append((rank, trigger))
                case FallbackTrigger():
                    fallbacks.append(rank)
                case _:
                    others.append((rank, trigger))
        return cls(
            Texts.of(texts),
            Texts.of((rank, trigger) for rank, trigger in texts if trigger.voice),
            Occasions.of(others),
            Circles(places) if places else None,
            tuple(consents),
            tuple(fallbacks),
        )

    def hits(self, message: Inbound, text: NormalizedText | None) -> set[int]:
        """Return the ranks that can be found without going through them, fallbacks left out."""
        found = set(self.occasions.ranks(message))
        if text is not None:
            found |= self._texts(message).hits(text)
        if self.places is not None:
            point = place_of(message)
            if point is not None:
                found.update(self.places.around(point))
        if self.consents:
            for template, status in results_of(message):
                found.update(
                    rank for rank, wanted in self.consents if reports(wanted, template, status)
                )
        return found

    def candidates(self, message: Inbound, text: NormalizedText) -> Iterator[tuple[int, Pattern]]:
        """Yield ranks that have to be made sure of, with the pattern that does."""
        return self._texts(message).candidates(text)

    def deferred(self, message: Inbound) -> tuple[Deferred, ...]:
        """Return what has to be gone through as well, for a message with a text."""
        return self._texts(message).deferred

    def _texts(self, message: Inbound) -> Texts:
        return self.voices if isinstance(message, inbound.Voice) else self.texts
