"""Normalises a pattern in the way in which texts are normalised before it is searched in them."""

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
    """Return a pattern with its compatibility characters (such as full-width ones) normalised.

    A normalised character still stands for itself: ？ becomes an escaped ?, not a quantifier.
    Escapes, quotations (\\Q to \\E) and names of groups stay as written. A letter with its accents
    becomes one character.
    """
    if unicodedata.is_normalized("NFKC", pattern):
        return pattern
    # NFC comes last: half-width marks combine with their letters only after NFKC has replaced them.
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
