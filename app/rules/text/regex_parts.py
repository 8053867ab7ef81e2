"""Splits a pattern into its parts, each with how often it repeats.

The search for literals and the detection of conflicts read patterns this way. The parser accepts
only syntax that is certain to have the same meaning in RE2, and gives up on everything else.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

_PART: Final = re.compile(
    r"""
      (?P<plain>   [^\\.^$*+?()\[\]{}|] )
    | (?P<escaped> \\[!-/:-@\[-`{-~] )
    | (?P<other>   \\[dDwWsSbBAz] | [.^$] )
    | (?P<class>   \[ )
    | (?P<open>    \( (?: \?: | \?P?<\w+> )? (?!\?) )
    """,
    re.VERBOSE | re.DOTALL,
)
_CLASS: Final = re.compile(
    r"\[\^?\]?(?:[^\[\]\\]|\\[dDwWsS]|\\[!-/:-@\[-`{-~]|\[(?!:))*\]", re.DOTALL
)
_REPEAT: Final = re.compile(r"(?:[?*+]|\{[0-9]+(?:,[0-9]*)?\})\??")
_MAY_REPEAT: Final = frozenset("?*+{")


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a pattern.

    character: the one character that the part matches; None for classes, groups, anchors and other
    parts. repeat: the quantifier as written; empty for a part without one.
    """

    character: str | None
    repeat: str


def parts_of(pattern: str) -> Iterator[Part | None]:
    """Yield the parts of a pattern in order; None, as the last one, for what is not understood."""
    position = 0
    while position < len(pattern):
        character, end = _part(pattern, position)
        if end is None:
            yield None
            return
        repeat = _REPEAT.match(pattern, end)
        position = end if repeat is None else repeat.end()
        if position < len(pattern) and pattern[position] in _MAY_REPEAT:
            yield None
            return
        yield Part(character, "" if repeat is None else repeat.group())


def _part(pattern: str, position: int) -> tuple[str | None, int | None]:
    """Return the character that the next part matches, and the position after the part.

    The character is None for a part that is not a single character, the position is None for a
    part that is not understood.
    """
    found = _PART.match(pattern, position)
    if found is None:
        return None, None
    match found.lastgroup:
        case "plain" | "escaped":
            return found.group()[-1], found.end()
        case "class":
            whole = _CLASS.match(pattern, position)
            return None, None if whole is None else whole.end()
        case "open":
            return None, _after_group(pattern, found.end())
    return None, found.end()


def _after_group(pattern: str, position: int) -> int | None:
    """Return the position after the group whose content begins at `position`.

    None if the group is not understood or not closed.
    """
    open_groups = 1
    while position < len(pattern):
        if pattern[position] == ")":
            open_groups -= 1
            position += 1
            if not open_groups:
                return position
            continue
        found = _PART.match(pattern, position)
        repeat = _REPEAT.match(pattern, position)
        if found is None:
            if repeat is None and pattern[position] != "|":
                return None
            position = position + 1 if repeat is None else repeat.end()
        elif found.lastgroup == "class":
            whole = _CLASS.match(pattern, position)
            if whole is None:
                return None
            position = whole.end()
        else:
            open_groups += found.lastgroup == "open"
            position = found.end()
    return None
