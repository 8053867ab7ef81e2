"""Decides whether one text trigger certainly matches every text that another one matches. Pure."""

import re
import unicodedata
from typing import Final

from app.rules.definition.text_triggers import Match, TextTrigger
from app.rules.text.normalize import surrounds
from app.rules.text.regex_literal import is_certain
from app.rules.text.regex_parts import parts_of

_ANYWHERE: Final = frozenset({Match.ALL, Match.CONTAINS, Match.ANY})
_IMPLIED_KINDS: Final = {
    Match.EXACT: frozenset({Match.EXACT, Match.PREFIX, Match.SUFFIX, *_ANYWHERE}),
    Match.PREFIX: frozenset({Match.PREFIX, *_ANYWHERE}),
    Match.SUFFIX: frozenset({Match.SUFFIX, *_ANYWHERE}),
    Match.CONTAINS: _ANYWHERE,
    Match.ALL: _ANYWHERE,
    Match.ANY: _ANYWHERE,
}
"""By kind: the kinds that match every text of this kind as soon as they match its keyword."""

_FLAGS: Final = re.compile(r"\(\?(?!:|P?<)")
_MAY_BE_EMPTY: Final = ("*", "?", "{0,", "{0}")

# The full stop matches anything but a line break, and normalised texts have no line breaks. A text
# of which nothing can be seen meets no pattern, so .+ matches as much as .* does.
_ANYTHING: Final = frozenset({"(.*)", "^(.*)", "(.*)$", ".", ".+", "(.+)"})
_ANY_LINE: Final = frozenset(
    {"^.*$", "^(.*)$", "^.", "^.+", "^(.+)", ".+$", "(.+)$", "^.+$", "^(.+)$"}
)


def catches_all(trigger: TextTrigger) -> bool:
    """Tell whether a trigger certainly matches every text that a rule can answer."""
    if trigger.match is not Match.REGEX or trigger.negated:
        return False
    (pattern,) = trigger.words()
    if not trigger.raw and pattern in _ANY_LINE:
        return True
    return _matches_empty_text(pattern) or pattern in _ANYTHING


def implies(broad: TextTrigger, narrow: TextTrigger) -> bool:
    """Tell whether `broad` matches all that `narrow` matches.

    narrow: neither negated nor a pattern; `broad` is known to match its keyword.
    """
    if narrow.voice and not broad.voice:
        return False
    if narrow.match is not Match.EXACT:
        kinds = _IMPLIED_KINDS[narrow.match]
        return broad.raw == narrow.raw and not broad.negated and broad.match in kinds
    if narrow.raw:
        return True  # it matches its keyword and nothing else
    return not broad.raw and _matches_every_spelling(broad, narrow.words()[0])


def _matches_every_spelling(broad: TextTrigger, word: str) -> bool:
    """Tell whether a trigger that matches a word also matches its other spellings.

    These are all texts that are normalised to the word, with or without punctuation around them.
    """
    if broad.match is Match.REGEX:
        flagged = _FLAGS.search(broad.words()[0]) is not None
        return not broad.negated and not flagged and _differs_in_case_alone(word)
    return not broad.negated or not any(map(surrounds, "".join(broad.words())))


def _differs_in_case_alone(word: str) -> bool:
    """Tell whether all spellings of a word differ only in the case of ASCII letters."""
    plain = all(is_certain(each) and unicodedata.category(each)[0] != "M" for each in word)
    return plain and "ss" not in word  # ß is normalised to ss


def _matches_empty_text(pattern: str) -> bool:
    """Tell whether a pattern matches the empty string, which every text begins and ends with."""
    inner = pattern[1:] if pattern.startswith("^") else pattern.removesuffix("$")
    return all(
        part is not None and part.repeat.startswith(_MAY_BE_EMPTY) for part in parts_of(inner)
    )
