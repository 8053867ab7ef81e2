"""All text triggers of one account, compiled; what is costly is looked at only when needed."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Self

from app.rules.definition.text_triggers import Match, TextTrigger
from app.rules.matching.keyword_index import Keywords
from app.rules.text.normalize import NormalizedText
from app.rules.text.regex import Pattern, PatternGroup, compile_pattern, groups_of, search
from app.rules.text.regex_prefilter import Prefilter

Deferred = tuple[int, Callable[[NormalizedText], Iterable[int]]]
"""A lowest rank, and how to find which ranks from there on a text fits."""


@dataclass(frozen=True, slots=True)
class Texts:
    """Text triggers by rank: found at once, or one after the other.

    prefilter, raw_prefilter: the patterns that hold a literal. deferred: by rising lowest rank.
    """

    folded: Keywords
    raw: Keywords
    prefilter: Prefilter
    raw_prefilter: Prefilter
    deferred: tuple[Deferred, ...]

    @classmethod
    def of(cls, triggers: Iterable[tuple[int, TextTrigger]]) -> Self:
        """Compile triggers. triggers: rank and trigger, by rising rank. Raises BadPattern."""
        folded: list[tuple[int, TextTrigger]] = []
        raw: list[tuple[int, TextTrigger]] = []
        patterns: dict[bool, list[tuple[int, str]]] = {False: [], True: []}
        later: list[Deferred] = []
        for rank, trigger in triggers:
            if trigger.negated:
                later.append((rank, partial(_unless, rank, Single.of(trigger))))
            elif trigger.match is Match.REGEX:
                patterns[trigger.raw].append((rank, trigger.words()[0]))
            else:
                (raw if trigger.raw else folded).append((rank, trigger))
        prefilter, others = Prefilter.of(patterns[False])
        raw_prefilter, raw_others = Prefilter.of(patterns[True], case_sensitive=True)
        folded_groups = groups_of(others)
        raw_groups = groups_of(raw_others, case_sensitive=True)
        later.extend((group.ranks[0], partial(_shown, group)) for group in folded_groups)
        later.extend((group.ranks[0], partial(_encoded, group)) for group in raw_groups)
        later.sort(key=lowest)
        return cls(Keywords.of(folded), Keywords.of(raw), prefilter, raw_prefilter, tuple(later))

    def hits(self, text: NormalizedText) -> set[int]:
        """Return the ranks of all plain keywords that the text fits."""
        found = set(self.folded.within(text.plain))
        for form in text.forms:
            found.update(self.folded.whole(form))
        if not self.raw.is_empty:
            found.update(self.raw.within(text.raw))
            found.update(self.raw.whole(text.raw))
        return found

    def candidates(self, text: NormalizedText) -> Iterator[tuple[int, Pattern]]:
        """Yield the patterns whose literal is in the text, with the ranks of their rules."""
        if self.prefilter.patterns:
            yield from self.prefilter.found_in(text.shown)
        if self.raw_prefilter.patterns:
            yield from self.raw_prefilter.found_in(text.raw)


def lowest(later: Deferred) -> int:
    """Return the lowest rank that is to be found there."""
    return later[0]


@dataclass(frozen=True, slots=True)
class Single:
    """One text trigger, held against one text after the other."""

    match: Match
    raw: bool
    words: tuple[str, ...]
    pattern: Pattern | None

    @classmethod
    def of(cls, trigger: TextTrigger) -> Self:
        """Compile a trigger; whether it is negated does not count. Raises BadPattern."""
        words = trigger.words()
        pattern = None
        if trigger.match is Match.REGEX:
            pattern = compile_pattern(words[0], case_sensitive=trigger.raw)
        return cls(trigger.match, trigger.raw, words, pattern)

    def fits(self, text: NormalizedText) -> bool:
        """Tell whether the keywords are found in the text as the kind of match wants them."""
        if self.pattern is not None:
            forms = text.raw_forms if self.raw else text.shown_forms
            return search(self.pattern, forms) is not None
        return any(map(self._fits_form, (text.raw,) if self.raw else text.forms))

    def _fits_form(self, form: str) -> bool:
        match self.match:
            case Match.EXACT:
                return form == self.words[0]
            case Match.PREFIX:
                return form.startswith(self.words[0])
            case Match.SUFFIX:
                return form.endswith(self.words[0])
            case Match.ANY:
                return any(word in form for word in self.words)
        return all(word in form for word in self.words)


def _unless(rank: int, single: Single, text: NormalizedText) -> tuple[int, ...]:
    return () if single.fits(text) else (rank,)


def _shown(group: PatternGroup, text: NormalizedText) -> Iterable[int]:
    shown, *stripped = text.shown_forms
    found = group.found_in(shown)
    return {*found, *group.found_in(stripped[0])} if stripped else found


def _encoded(group: PatternGroup, text: NormalizedText) -> list[int]:
    return group.found_in(*text.raw_forms)
