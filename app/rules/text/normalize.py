"""A text as it was typed, and what of it counts: worked out once for all rules."""

import unicodedata
from functools import cached_property
from typing import Final

import re2

MAX_CHARACTERS = 4096
"""How much of a message is held against rules; WeChat's own limit is far below (protocol 5)."""

AS_EMOJI = "\ufe0f"
"""Asks for the coloured form of a character; not every keyboard adds it."""

MAX_MARKS = 30
"""How many combining marks one character may have, as Unicode's Stream-Safe Text Format says:
the time to sort them is the square of their number."""


def normalise(text: str) -> str:
    """Return a text without what does not count: width and form of letters, case, extra blanks."""
    return _folded(_composed(text))


def _composed(text: str) -> str:
    if text.isascii():
        return text
    text = text.replace(AS_EMOJI, "")
    if len(text) > 2 * MAX_MARKS:
        text = _MARKS.sub(lambda run: run[0][:MAX_MARKS], text)
    return unicodedata.normalize("NFKC", text)


def _folded(composed: str) -> str:
    folded = composed.casefold()
    if not folded.isascii():
        folded = unicodedata.normalize("NFKC", folded)
    return " ".join(folded.split())


_MARKS: Final = re2.compile(r"\p{M}+")


def bare(text: str) -> str:
    """Return a text without the punctuation, and ~, around it; if all is such, the whole text."""
    return text[_start(text) : _end(text)] or text


def bare_start(text: str) -> str:
    """Return a text without the punctuation before it; if all is such, the whole text."""
    return text[_start(text) :] or text


def bare_end(text: str) -> str:
    """Return a text without the punctuation behind it; if all is such, the whole text."""
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
    """Tell whether a character does not count where it stands around a text."""
    return character in " ~" or unicodedata.category(character)[0] == "P"


class NormalizedText:
    """One text in every form that rules are held against.

    raw: as typed. plain: normalised. forms: plain, and without punctuation before it, behind it,
    and around it, each form once. bare: without punctuation around it.
    shown: for patterns, whose captures are repeated in replies: like plain, but the case stays.
    shown_forms, raw_forms: what patterns are searched for in, one after the other, in UTF-8.
    """

    def __init__(self, text: str) -> None:
        self.raw = text[:MAX_CHARACTERS]
        self._composed = _composed(self.raw)
        self.plain = _folded(self._composed)
        start, end = _start(self.plain), _end(self.plain)
        self.bare = self.plain[start:end] or self.plain
        self.forms: tuple[str, ...] = (self.plain,)
        if start < end and end - start < len(self.plain):
            around = self.plain[start:], self.plain[:end], self.bare
            self.forms = tuple(dict.fromkeys((self.plain, *around)))

    @cached_property
    def shown(self) -> str:
        """For patterns."""
        return " ".join(self._composed.split())

    @cached_property
    def shown_forms(self) -> tuple[bytes, ...]:
        """`shown`, and without punctuation around it, if there is any."""
        shown, stripped = self.shown, bare(self.shown)
        if len(stripped) == len(shown):
            return (shown.encode(),)
        return shown.encode(), stripped.encode()

    @cached_property
    def raw_forms(self) -> tuple[bytes, ...]:
        """`raw` alone: what is compared as typed has one form."""
        return (self.raw.encode(),)
