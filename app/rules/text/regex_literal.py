"""What a text must hold for a pattern to be found in it, where that can be told from the pattern.

A thousand patterns are too much for one automaton, and one by one they are too slow. Most of them
hold a word, though, and words are looked for together (see `keywords`).
"""

from app.rules.text.regex_parts import parts_of


def literal_of(pattern: str) -> str | None:
    """Return the longest run of characters that every match holds, casefolded; None if unsure.

    Only plain characters outside of groups and classes count, and a pattern with alternatives,
    flags or anything unusual has no literal. Letters are taken from ASCII or from scripts without
    case, where RE2 and Python agree on what is the same letter.
    """
    runs = [""]
    for part in parts_of(pattern):
        if part is None:
            return None
        counts = part.character is not None and is_certain(part.character)
        if part.character is not None and counts and part.repeat in {"", "+", "+?"}:
            runs[-1] += part.character.casefold()
        if not counts or part.repeat:
            runs.append("")
    return max(runs, key=len) or None


def is_certain(character: str) -> bool:
    """Tell whether RE2 and Python agree on what is the same letter as this one."""
    return character.isascii() or character.lower() == character.upper()
