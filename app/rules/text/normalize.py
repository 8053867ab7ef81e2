"""Brings a follower's text into the forms in which keywords and patterns are compared with it.

One NormalizedText is made for each message and serves all rules.
"""

import unicodedata
from functools import cached_property
from typing import Final

import regex

from app.rules.text.regex_cost import SearchBudget
from app.wechat.visible_text import visible

MAX_CHARACTERS = 4096
"""Rules see this much of a message; WeChat's own limit is far lower (protocol 5)."""

MAX_MARKS = 30
"""How many combining marks are kept in a row (the limit of Unicode's Stream-Safe Text Format).

Normalising sorts them, and the time for that grows with the square of their number.
"""


def normalise(text: str) -> str:
    """Return a text in NFKC, case-folded, with every run of blanks replaced by one space.

    Full-width and half-width letters, and upper and lower case, become the same. Characters that
    cannot be seen are removed.
    """
    return _folded(_composed(visible(text)))


def _composed(text: str) -> str:
    if text.isascii():
        return text
    bounded = _cut_runs(text)
    composed = unicodedata.normalize("NFKC", bounded)
    # The normal form may have a longer run: a half-width voiced mark, for one, is a letter before.
    return composed if composed == bounded else _cut_runs(composed)


def _cut_runs(text: str) -> str:
    if len(text) <= MAX_MARKS:
        return text
    cut: str = _TOO_LONG_RUN.sub(lambda run: run[0][:MAX_MARKS], text)
    return cut


def _folded(composed: str) -> str:
    folded = composed.casefold()
    # Case folding can leave the normal form: some letters fold to a base letter and a mark.
    return " ".join((composed if folded == composed else _composed(folded)).split())


_TOO_LONG_RUN: Final = regex.compile(rf"(?<!\p{{M}})\p{{M}}{{{MAX_MARKS + 1},}}+")


def bare(text: str) -> str:
    """Return a text without punctuation, blanks and ~ at both ends.

    A text that holds nothing else is returned as it is.
    """
    return text[_start(text) : _end(text)] or text


def bare_start(text: str) -> str:
    """Return a text without punctuation, blanks and ~ at its start; see `bare`."""
    return text[_start(text) :] or text


def bare_end(text: str) -> str:
    """Return a text without punctuation, blanks and ~ at its end; see `bare`."""
    return text[: _end(text)] or text


def _start(text: str) -> int:
    start = 0
    while start < len(text) and surrounds(text[start]):
        start += 1
    return start


def _end(text: str) -> int:
    end = len(text)
    while end and surrounds(text[end - 1]):
        end -= 1
    return end


def surrounds(character: str) -> bool:
    """Tell whether a character is ignored at the start and at the end of a text."""
    return character in " ~" or unicodedata.category(character)[0] == "P"


class NormalizedText:
    """One text in every form that rules are compared with.

    raw: the text as typed, cut to MAX_CHARACTERS, without characters that cannot be seen. plain:
    the normalised text. bare: plain without punctuation at both ends. forms: plain, plain without
    punctuation at its start, at its end and at both ends; equal forms are listed once. shown: like
    plain, but letters keep their case, because replies repeat what a pattern captures from it.
    shown_forms, raw_forms: the texts that patterns are searched in, in this order, encoded in
    UTF-8. budget: what the searches of patterns may take; None: as long as they need.
    """

    def __init__(self, text: str, budget: SearchBudget | None = None) -> None:
        self.budget = budget
        self.raw = visible(text[:MAX_CHARACTERS])
        self._composed = _composed(self.raw)
        self.plain = _folded(self._composed)
        start, end = _start(self.plain), _end(self.plain)
        self.bare = self.plain[start:end] or self.plain
        self.forms: tuple[str, ...] = (self.plain,)
        if start < end and end - start < len(self.plain):
            around = self.plain[start:], self.plain[:end], self.bare
            self.forms = tuple(dict.fromkeys((self.plain, *around)))

    @property
    def is_blank(self) -> bool:
        """Whether nothing of the text can be seen: no rule for texts answers it."""
        return not self.plain

    def may_search(self) -> bool:
        """Tell whether another pattern may be searched; see `SearchBudget`."""
        return self.budget is None or self.budget.allows()

    @cached_property
    def shown(self) -> str:
        """The text for patterns: like `plain`, but letters keep their case."""
        return " ".join(self._composed.split())

    @cached_property
    def shown_forms(self) -> tuple[bytes, ...]:
        """`shown`; then, if it has punctuation at an end, `shown` without it."""
        shown, stripped = self.shown, bare(self.shown)
        if len(stripped) == len(shown):
            return (shown.encode(),)
        return shown.encode(), stripped.encode()

    @cached_property
    def raw_forms(self) -> tuple[bytes, ...]:
        """`raw` alone, because a text that is compared as typed has one form."""
        return (self.raw.encode(),)
