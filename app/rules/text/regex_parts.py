"""Patterns taken apart, as far as two readers of them need it: a part and how often it may stand.

Only what is certain to mean the same to RE2 is taken apart.
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
    """One part of a pattern. character: what it stands for, if that is one and only one.

    repeat: as written, empty for a part that stands once.
    """

    character: str | None
    repeat: str


def parts_of(pattern: str) -> Iterator[Part | None]:
    """Yield the parts of a pattern in a row; None, as the last, for what is not understood."""
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
    """Return the character that the next part stands for, and where the part ends."""
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
    """Return where the group ends whose inside begins here; None if that is not understood."""
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
