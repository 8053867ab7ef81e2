"""Tells which characters of a text can be seen, and what a reader sees as one. Pure.

Keyboards, web pages and other programs put characters into a text that no screen shows: zero-width
blanks, byte order marks, marks of the writing direction. Neither a follower nor an operator knows
that they are there.
"""

import re
from typing import Final

import regex

JOINER: Final = "\u200d"
"""The zero-width joiner. Between two emojis it makes one of them: 👩 and 💻 become 👩‍💻."""

# Unicode's Default_Ignorable_Code_Point (among them the variation selectors and the fillers of
# Hangul), the format characters of category Cf that show nothing, the controls that are no blanks,
# and the Braille pattern without dots. Not here: tags and the joiner, which are part of an emoji at
# times, and the signs of category Cf that are drawn over the figures behind them.
_UNSEEN: Final = (
    "\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f"
    "\u200b\u200c\u200e\u200f\u202a-\u202e\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0"
    "\ufff0-\ufffb\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e001f\U000e0080-\U000e0fff"
)
_TAGS: Final = "\U000e0020-\U000e007f"
# The blocks that emojis stand in, and what else is part of one: arrows, signs and shapes.
_EMOJI: Final = (
    "\u203c\u2049\u2122\u2139\u2190-\u21ff\u2300-\u27bf\u2900-\u297f\u2b00-\u2bff"
    "\u3030\u303d\u3297\u3299\U0001f000-\U0001faff"
)

_MAY_BE_UNSEEN: Final = re.compile(f"[{_UNSEEN}{_TAGS}{JOINER}]")
_NEVER_SEEN: Final = re.compile(f"[{_UNSEEN}]+")
_IN_AN_EMOJI: Final = re.compile(
    f"(\U0001f3f4[{_TAGS}]+)|((?<=[{_EMOJI}]){JOINER}(?=[{_EMOJI}]))|[{_TAGS}{JOINER}]"
)
_HAS_EMOJI: Final = re.compile(f"[{_EMOJI}]")
# A grapheme cluster of Unicode: an emoji of several characters, a letter with its accents.
_CLUSTER: Final = regex.compile(r"\X")
_SEEN: Final = re.compile(f"[^\\s{_UNSEEN}{_TAGS}{JOINER}]")


def visible(text: str) -> str:
    """Return the text without the characters that cannot be seen; blanks stay.

    What makes one emoji of several characters stays: the joiner between two emojis, and the tags
    behind a black flag, which name a region. A text without such characters is returned as it is.
    """
    if (text.isascii() and text.isprintable()) or _MAY_BE_UNSEEN.search(text) is None:
        return text
    return _IN_AN_EMOJI.sub(r"\1\2", _NEVER_SEEN.sub("", text))


def visible_pattern(pattern: str) -> str:
    """Return a regular expression without the characters that cannot be seen.

    In a pattern with an emoji every joiner stays, since it may stand beside syntax.
    """
    if _HAS_EMOJI.search(pattern) is None:
        return visible(pattern)
    return _NEVER_SEEN.sub("", pattern)


def shows_nothing(text: str) -> bool:
    """Return whether a text has blanks and characters that cannot be seen, and nothing else."""
    return _SEEN.search(text) is None


def cut(text: str, length: int) -> str:
    """Return the beginning of a text, of up to `length` code points.

    It ends between two characters as a reader sees them (grapheme clusters of Unicode).
    """
    if len(text) <= length:
        return text
    end = 0
    for cluster in _CLUSTER.finditer(text):
        if cluster.end() > length:
            break
        end = cluster.end()
    return text[:end]
