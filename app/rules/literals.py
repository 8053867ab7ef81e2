"""What a text must hold for a pattern to be found in it, where that can be told from the pattern.

A thousand patterns are too much for one automaton, and one by one they are too slow. Most of them
hold a word, though, and words are looked for together (see `keywords`).
"""

from typing import Final

_OF_CLASS: Final = "dDwWsSbBAz"
_OPTIONAL: Final = "?*{"


def literal_of(pattern: str) -> str | None:
    """Return the longest run of characters that every match holds, casefolded; None if unsure.

    Only plain characters outside of groups and classes count, and a pattern with alternatives, or
    with an escape that is none of the simple ones, has no literal. Letters are taken from ASCII
    or from scripts without case, where RE2 and Python agree on what is the same letter.
    """
    runs, run = [""], ""
    position = 0
    while position < len(pattern):
        character = pattern[position]
        end = _after(pattern, position)
        if end is None or character == "|":
            return None
        plain = _plain(pattern[position:end])
        if plain is None:
            runs.append(run)
            run = ""
        elif end < len(pattern) and pattern[end] in _OPTIONAL:
            runs.append(run)
            run = ""
            end += 1
            if pattern[end - 1] == "{":
                end = pattern.find("}", end) + 1 or len(pattern)
        else:
            run += plain
        position = end
    return max([*runs, run], key=len) or None


def _after(pattern: str, position: int) -> int | None:
    """Return where the next part begins; None if this one is not understood."""
    match pattern[position]:
        case "\\":
            escaped = pattern[position + 1 : position + 2]
            simple = escaped in _OF_CLASS or not (escaped.isalnum() or escaped == "")
            return position + 2 if simple else None
        case "[":
            return _after_class(pattern, position)
        case "(":
            return _after_group(pattern, position)
        case "{":
            closed = pattern.find("}", position)
            return None if closed < 0 else closed + 1
    return position + 1


def _after_class(pattern: str, position: int) -> int | None:
    end = position + 1
    end += pattern[end : end + 1] == "^"
    end += pattern[end : end + 1] == "]"
    while end < len(pattern):
        if pattern.startswith("[:", end):
            return None
        if pattern[end] == "]":
            return end + 1
        end += 2 if pattern[end] == "\\" else 1
    return None


def _after_group(pattern: str, position: int) -> int | None:
    end: int | None = position + 1
    while end is not None and end < len(pattern):
        if pattern[end] == ")":
            return end + 1
        end = _after(pattern, end)
    return None


def _plain(part: str) -> str | None:
    """Return the character that a part stands for, if it stands for one and only one."""
    if part[0] == "\\":
        return part[1] if not part[1].isalnum() and part[1].isascii() else None
    if len(part) > 1 or part in ".^$+*?)]}":
        return None
    if part.isascii() or part.lower() == part.upper():
        return part.casefold()
    return None
