"""Finds a literal that every match of a pattern contains.

A thousand patterns are too many for one automaton, and too slow to search one by one. But most of
them contain a word, and many words can be searched for in one pass: see `regex_prefilter`.
"""

from app.rules.text.regex_parts import parts_of


def literal_of(pattern: str) -> str | None:
    """Return the longest run of characters that every match contains; None if that is not certain.

    The literal is case-folded. Only plain characters outside of groups and classes are used. A
    pattern with alternatives, flags or syntax that `parts_of` does not understand has no literal.
    Letters are ASCII or belong to scripts without case, because RE2 and Python fold the case of
    others differently.
    """
    runs = [""]
    for part in parts_of(pattern):
        if part is None:
            return None
        is_literal = part.character is not None and is_certain(part.character)
        if part.character is not None and is_literal and part.repeat in {"", "+", "+?"}:
            runs[-1] += part.character.casefold()
        if not is_literal or part.repeat:
            runs.append("")
    return max(runs, key=len) or None


def is_certain(character: str) -> bool:
    """Tell whether RE2 and Python agree on which letters equal this one when case is ignored."""
    return character.isascii() or character.lower() == character.upper()
