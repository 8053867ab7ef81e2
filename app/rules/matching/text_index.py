"""Finds the text triggers of one account that match a text; costly searches are run last."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Self

from app.rules.definition.text_triggers import Match, TextTrigger
from app.rules.matching.keyword_index import KeywordIndex
from app.rules.text.normalize import NormalizedText
from app.rules.text.regex import Pattern, PatternGroup, compile_pattern, groups_of, search
from app.rules.text.regex_prefilter import Prefilter

Deferred = tuple[int, Callable[[NormalizedText], Iterable[int]]]
"""A search that is run late: the lowest rank that it can find, and the search itself."""


@dataclass(frozen=True, slots=True)
class TextIndex:
    """Compiled text triggers by rank.

    folded, raw: plain keywords, compared with the normalised text and with the text as typed.
    prefilter, raw_prefilter: patterns that have a literal. deferred: all other patterns and the
    negated triggers, by rising lowest rank.
    """

    folded: KeywordIndex
    raw: KeywordIndex
    prefilter: Prefilter
    raw_prefilter: Prefilter
    deferred: tuple[Deferred, ...]

    @classmethod
    def of(cls, triggers: Iterable[tuple[int, TextTrigger]]) -> Self:
        """Compile triggers. triggers: rank and trigger, by rising rank. Raises BadPattern."""
        folded: list[tuple[int, TextTrigger]] = []
        raw: list[tuple[int, TextTrigger]] = []
        patterns: dict[bool, list[tuple[int, str]]] = {False: [], True: []}
        deferred: list[Deferred] = []
        for rank, trigger in triggers:
            if trigger.negated:
                deferred.append((rank, partial(_unless, rank, TextMatcher.of(trigger))))
            elif trigger.match is Match.REGEX:
                patterns[trigger.raw].append((rank, trigger.words()[0]))
            else:
                (raw if trigger.raw else folded).append((rank, trigger))
        prefilter, others = Prefilter.of(patterns[False])
        raw_prefilter, raw_others = Prefilter.of(patterns[True], case_sensitive=True)
        folded_groups = groups_of(others)
        raw_groups = groups_of(raw_others, case_sensitive=True)
        deferred.extend(
            (group.ranks[0], partial(_found_in_shown, group)) for group in folded_groups
        )
        deferred.extend((group.ranks[0], partial(_found_in_raw, group)) for group in raw_groups)
        deferred.sort(key=lowest)
        return cls(
            KeywordIndex.of(folded), KeywordIndex.of(raw), prefilter, raw_prefilter, tuple(deferred)
        )

    def hits(self, text: NormalizedText) -> set[int]:
        """Return the ranks of all plain keywords that match the text."""
        found = set(self.folded.inside(text.plain))
        for form in text.forms:
            found.update(self.folded.anchored(form))
        if not self.raw.is_empty:
            found.update(self.raw.inside(text.raw))
            found.update(self.raw.anchored(text.raw))
        return found

    def candidates(self, text: NormalizedText) -> Iterator[tuple[int, Pattern]]:
        """Yield rank and pattern for each literal in the text; the caller searches the pattern."""
        if self.prefilter.patterns:
            yield from self.prefilter.found_in(text.shown)
        if self.raw_prefilter.patterns:
            yield from self.raw_prefilter.found_in(text.raw)


def lowest(deferred: Deferred) -> int:
    """Return the lowest rank that a search can find, as a sort key."""
    return deferred[0]


@dataclass(frozen=True, slots=True)
class TextMatcher:
    """One compiled text trigger, without an index."""

    match: Match
    raw: bool
    words: tuple[str, ...]
    pattern: Pattern | None
    negated: bool = False

    @classmethod
    def of(cls, trigger: TextTrigger) -> Self:
        """Compile a trigger; `not` is ignored. Raises BadPattern."""
        words = trigger.words()
        pattern = None
        if trigger.match is Match.REGEX:
            pattern = compile_pattern(words[0], case_sensitive=trigger.raw)
        return cls(trigger.match, trigger.raw, words, pattern, trigger.negated)

    def matches(self, text: NormalizedText) -> bool:
        """Tell whether the text matches the keywords or the pattern; `not` is ignored."""
        if self.pattern is not None and not text.may_search():
            # The rule does not answer: neither a search nor what `not` makes of it is known.
            return self.negated
        if self.pattern is not None:
            forms = text.raw_forms if self.raw else text.shown_forms
            return search(self.pattern, forms) is not None
        return any(map(self._matches_form, (text.raw,) if self.raw else text.forms))

    def _matches_form(self, form: str) -> bool:
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


def _unless(rank: int, matcher: TextMatcher, text: NormalizedText) -> tuple[int, ...]:
    return () if matcher.matches(text) else (rank,)


def _found_in_shown(group: PatternGroup, text: NormalizedText) -> Iterable[int]:
    if not text.may_search():
        return ()
    shown, *stripped = text.shown_forms
    found = group.found_in(shown, text.may_search)
    return {*found, *group.found_in(stripped[0], text.may_search)} if stripped else found


def _found_in_raw(group: PatternGroup, text: NormalizedText) -> Iterable[int]:
    if not text.may_search():
        return ()
    return group.found_in(text.raw_forms[0], text.may_search)
