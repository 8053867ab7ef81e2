"""Translates the sentences with which functions of the service say what is wrong, or why. Pure.

They are written in English where they arise, for the API and the command line. Whoever translates
them has phrases: each sentence once, with places for its values; a sentence is recognised by it.
"""

import re
from collections.abc import Callable
from functools import cache
from typing import Final

Translate = Callable[[str], str]

_PLACE: Final = re.compile(r"%\((\w+)\)s")


def in_language(sentence: str, phrases: tuple[str, ...], translate: Translate) -> str:
    """Return a sentence as `translate` has it; one that is not known stays as it is."""
    for pattern, phrase in _patterns(phrases):
        found = pattern.fullmatch(sentence)
        if found is not None:
            # A value may be a sentence again, as the reason why a file can't be read.
            values = {
                name: in_language(value, phrases, translate)
                for name, value in found.groupdict().items()
            }
            return translate(phrase) % values
    return sentence


@cache
def _patterns(phrases: tuple[str, ...]) -> tuple[tuple[re.Pattern[str], str], ...]:
    return tuple((_pattern(phrase), phrase) for phrase in phrases)


def _pattern(phrase: str) -> re.Pattern[str]:
    """Return what recognises a phrase; every place takes as little as it can."""
    parts = _PLACE.split(phrase)
    names = parts[1::2]
    texts = [re.escape(text.replace("%%", "%")) for text in parts[::2]]
    groups = [*(f"(?P<{name}>.*?)" for name in names), ""]
    return re.compile("".join(map("".join, zip(texts, groups, strict=True))), re.DOTALL)
