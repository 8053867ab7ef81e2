"""Which text trigger surely takes every text that another one takes. Pure."""

import re
import unicodedata
from enum import StrEnum
from typing import Final

from app.rules.definition.text_triggers import Match, TextTrigger
from app.rules.text.normalize import surrounds
from app.rules.text.regex_literal import is_certain
from app.rules.text.regex_parts import parts_of

_INSIDE: Final = frozenset({Match.ALL, Match.CONTAINS, Match.ANY})
_STILL_FITS: Final = {
    Match.EXACT: frozenset({Match.EXACT, Match.PREFIX, Match.SUFFIX, *_INSIDE}),
    Match.PREFIX: frozenset({Match.PREFIX, *_INSIDE}),
    Match.SUFFIX: frozenset({Match.SUFFIX, *_INSIDE}),
    Match.CONTAINS: _INSIDE,
    Match.ALL: _INSIDE,
    Match.ANY: _INSIDE,
}
"""Which kinds of rule, fitting the keyword alone, also fit every text that this kind takes."""

_FLAGS: Final = re.compile(r"\(\?(?!:|P?<)")
_MAY_BE_EMPTY: Final = ("*", "?", "{0,", "{0}")

# The full stop fits anything but a line break, which folded texts do not hold.
_ANYTHING: Final = frozenset({"(.*)", "^(.*)", "(.*)$"})
_ANY_LINE: Final = frozenset({"^.*$", "^(.*)$"})
_SOMETHING: Final = frozenset({".", ".+", "(.+)"})
_SOMETHING_IN_A_LINE: Final = frozenset({"^.", "^.+", "^(.+)", ".+$", "(.+)$", "^.+$", "^(.+)$"})


class Catch(StrEnum):
    """every: a pattern fits every text. written: every text in which something is written."""

    EVERY = "every"
    WRITTEN = "written"


def catch_of(trigger: TextTrigger) -> Catch | None:
    """Return what a trigger catches whatever is written; None where that is not certain."""
    if trigger.match is not Match.REGEX or trigger.negated:
        return None
    (pattern,) = trigger.words()
    one_line = not trigger.raw
    if _finds_nothing(pattern) or pattern in _ANYTHING or (one_line and pattern in _ANY_LINE):
        return Catch.EVERY
    if pattern in _SOMETHING or (one_line and pattern in _SOMETHING_IN_A_LINE):
        return Catch.WRITTEN
    return None


def is_caught(trigger: TextTrigger, catch: Catch) -> bool:
    """Tell whether all that a trigger takes is caught."""
    needs_a_word = trigger.match is not Match.REGEX and not trigger.negated
    return catch is Catch.EVERY or needs_a_word


def still_fits(broad: TextTrigger, narrow: TextTrigger) -> bool:
    """Tell whether `broad`, which fits the keyword of `narrow`, fits all that `narrow` takes.

    narrow: neither negated nor a pattern.
    """
    if narrow.voice and not broad.voice:
        return False
    if narrow.match is not Match.EXACT:
        kinds = _STILL_FITS[narrow.match]
        return broad.raw == narrow.raw and not broad.negated and broad.match in kinds
    if narrow.raw:
        return True  # it takes its keyword and nothing else
    return not broad.raw and _fits_every_spelling(broad, narrow.words()[0])


def _fits_every_spelling(broad: TextTrigger, word: str) -> bool:
    """Tell whether a trigger that fits a word fits it however it is spelt, and in punctuation."""
    if broad.match is Match.REGEX:
        flagged = _FLAGS.search(broad.words()[0]) is not None
        return not broad.negated and not flagged and _differs_in_case_alone(word)
    return not broad.negated or not any(map(surrounds, "".join(broad.words())))


def _differs_in_case_alone(word: str) -> bool:
    """Tell whether all that counts as this word is this word, but for the case of ASCII letters."""
    plain = all(is_certain(each) and unicodedata.category(each)[0] != "M" for each in word)
    return plain and "ss" not in word  # which ß counts as


def _finds_nothing(pattern: str) -> bool:
    """Tell whether a pattern fits the nothing that every text begins and ends with."""
    inner = pattern[1:] if pattern.startswith("^") else pattern.removesuffix("$")
    return all(
        part is not None and part.repeat.startswith(_MAY_BE_EMPTY) for part in parts_of(inner)
    )
