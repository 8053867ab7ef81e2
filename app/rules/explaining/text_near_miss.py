"""Says why a text does not match a trigger that it nearly matches. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from app.rules.definition.text_triggers import Match, TextTrigger
from app.rules.matching.match_one import matches_text
from app.rules.matching.text_index import TextMatcher
from app.rules.text.normalize import NormalizedText
from app.rules.text.regex import BadPattern, compile_pattern, search
from app.rules.text.regex_literal import literal_of

_LEAST_LITERAL: Final = 2


@dataclass(frozen=True)
class TextNearMiss:
    """A text that triggers are compared with less strictly than they require.

    spoken: whether it was recognised in a voice message.
    """

    text: NormalizedText
    spoken: bool

    @cached_property
    def squeezed(self) -> NormalizedText:
        """The text with its letters and digits only."""
        return NormalizedText(_squeezed(self.text.plain))

    def reason(self, trigger: TextTrigger) -> str | None:
        """Return the one reason why the text does not match a trigger. Raises BadPattern.

        None if there are several reasons. The trigger is known not to match.
        """
        if self.spoken and not trigger.voice:
            would_match = matches_text(trigger, self.text)
            return "it does not answer voice messages (voice)" if would_match else None
        if trigger.negated:
            return "the text is one of those that it excludes (not)"
        if trigger.raw and self._matches_normalised(trigger):
            return "it compares exactly as typed (raw): width, case, blanks or punctuation differ"
        if trigger.match is Match.REGEX:
            return next(_of_a_pattern(trigger, self.text), None)
        return self._of_keywords(trigger, trigger.words())

    def _matches_normalised(self, trigger: TextTrigger) -> bool:
        try:
            return TextMatcher.of(trigger.model_copy(update={"raw": False})).matches(self.text)
        except BadPattern:
            # As typed it is a pattern; normalised, two of its characters may become one.
            return False

    def _of_keywords(self, trigger: TextTrigger, words: tuple[str, ...]) -> str | None:
        form = self.text.raw if trigger.raw else self.text.plain
        missing = [word for word in words if word not in form]
        if trigger.match is Match.ALL:
            if len(missing) == 1 < len(words):
                return f'of its {len(words)} keywords one is missing: "{missing[0]}"'
        elif not missing:
            return _misplaced(trigger.match, words[0], form)
        if trigger.raw:
            return None
        if self._matches_squeezed(trigger.match, words):
            return "only blanks, punctuation or symbols inside the text keep it from its keyword"
        return None if trigger.match is Match.ALL else _part_of(words, self.text.bare)

    def _matches_squeezed(self, match: Match, words: tuple[str, ...]) -> bool:
        if self.text.plain.isalnum() and all(word.isalnum() for word in words):
            return False
        squeezed = tuple(map(_squeezed, words))
        if not all(squeezed):
            return False
        return TextMatcher(match, raw=True, words=squeezed, pattern=None).matches(self.squeezed)


def _squeezed(text: str) -> str:
    return "".join(filter(str.isalnum, text))


def _misplaced(match: Match, word: str, form: str) -> str | None:
    match match:
        case Match.EXACT:
            return f"the text says more than its keyword: {len(form)} characters, not {len(word)}"
        case Match.PREFIX:
            return f"its keyword is not at the beginning, but {form.index(word)} characters later"
        case Match.SUFFIX:
            behind = len(form) - form.rindex(word) - len(word)
            return f"its keyword is not at the end, but {behind} characters earlier"
    return None


def _part_of(words: tuple[str, ...], bare: str) -> str | None:
    for word in words:
        if len(word) <= 2 * len(bare) and bare in word:
            return f'the text is only {len(bare)} of the {len(word)} characters of "{word}"'
    return None


def _of_a_pattern(trigger: TextTrigger, text: NormalizedText) -> Iterator[str]:
    (pattern,) = trigger.words()
    if not trigger.raw and search(compile_pattern(pattern), text.raw_forms):
        yield "its pattern only matches the text as typed (raw), not the normalised text"
    forms = text.raw_forms if trigger.raw else text.shown_forms
    for loosened, reason in _loosened(pattern):
        if _found(loosened, forms, case_sensitive=trigger.raw):
            yield reason
    literal = literal_of(pattern) or ""
    shown = (text.raw if trigger.raw else text.shown).casefold()
    if len(literal) >= _LEAST_LITERAL and literal in shown:
        yield f'the text has "{literal}", but not the rest of its pattern'


def _loosened(pattern: str) -> Iterator[tuple[str, str]]:
    anchored_start = pattern.startswith("^")
    anchored_end = pattern.endswith("$") and not pattern.endswith("\\$")
    if anchored_start:
        yield pattern[1:], "its pattern is in the text, but not at the beginning (^)"
    if anchored_end:
        yield pattern[:-1], "its pattern is in the text, but not at the end ($)"
    if anchored_start and anchored_end:
        yield pattern[1:-1], "the text says more than its pattern (^ and $)"


def _found(pattern: str, forms: tuple[bytes, ...], *, case_sensitive: bool) -> bool:
    try:
        compiled = compile_pattern(pattern, case_sensitive=case_sensitive)
    except BadPattern:
        return False
    return search(compiled, forms) is not None and compiled.search(b"") is None
