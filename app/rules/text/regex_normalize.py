"""A pattern in the form of the texts that it is held against: without width and form of letters."""

import re
import unicodedata
from typing import Final

_ESCAPE: Final = r"\\[pPx]\{[^}]*\} | \\."
_CLASS: Final = rf"\[\^?\]? (?: \[:\^?\w+:\] | {_ESCAPE} | [^\]\\] )* \]"
_PART: Final = re.compile(
    rf"(?P<kept> \\Q.*?(?:\\E|\Z) | {_ESCAPE} | \(\?P?<[^>]*> ) | (?P<class> {_CLASS} ) | .",
    re.VERBOSE | re.DOTALL,
)
_NAME: Final = re.compile(rf"({_ESCAPE} | \(\?P?<[^>]*> )", re.VERBOSE | re.DOTALL)
_MEMBER: Final = re.compile(rf"\[:\^?\w+:\] | {_ESCAPE} | .", re.VERBOSE | re.DOTALL)


def pattern_form(pattern: str) -> str:
    """Return a pattern whose full-width and other compatibility characters are the usual ones.

    What such a character becomes stands for itself: ？ is no quantifier. Escapes, quotations and
    names of groups stay as written. A letter and its accents are one character.
    """
    if unicodedata.is_normalized("NFKC", pattern):
        return pattern
    # In the end, because half-width marks join their letters only once they have their usual form.
    form = _NAME.split(_PART.sub(_part, pattern))
    form[::2] = [unicodedata.normalize("NFC", between) for between in form[::2]]
    return "".join(form)


def _part(found: re.Match[str]) -> str:
    part = found.group()
    if found.lastgroup == "kept":
        return part
    if found.lastgroup == "class":
        return _MEMBER.sub(_member, part)
    form = unicodedata.normalize("NFKC", part)
    if form == part:
        return part
    if len(form) == 1 and (_is_mark(form) or not form.isascii()):
        return _escaped(form)
    return f"(?:{''.join(map(_escaped, form))})"


def _member(found: re.Match[str]) -> str:
    member = found.group()
    form = unicodedata.normalize("NFKC", member)
    return _escaped(form) if form != member and len(form) == 1 else member


def _escaped(character: str) -> str:
    return f"\\{character}" if _is_mark(character) else character


def _is_mark(character: str) -> bool:
    return character.isascii() and character.isprintable() and not character.isalnum()
