"""The query of a launch as text, and what in it may be a ref. Pure. Source: linkage 11.2."""

from collections.abc import Iterator
from typing import Final
from urllib.parse import quote, unquote

from app import refs

MAX_PATH: Final = 1024
MAX_QUERY: Final = 2048
# A query that has more is no page of ours.
MAX_PARAMETERS: Final = 64
# Of one report: each of them is looked for.
MAX_CANDIDATES: Final = 4
# The scene of a mini-program code comes as a parameter of this name.
_SCENE: Final = "scene"
_SAFE: Final = "!$'()*,/:;@?~%"


def query_text(value: object) -> object:
    """Return an object of parameters as `name=value` joined by `&`; anything else as it is.

    Raises ValueError for an object that holds more than texts, numbers and truth values.
    """
    if not isinstance(value, dict):
        return value.removeprefix("?") if isinstance(value, str) else value
    if len(value) > MAX_PARAMETERS:
        raise ValueError(f"has more than {MAX_PARAMETERS} parameters: leave some out")
    return "&".join(f"{_encoded(name)}={_encoded(one)}" for name, one in value.items())


def candidates(ref: str | None, query: str | None) -> list[str]:
    """Return what may be a ref, the likeliest first: what is named ref, the scene of a code, more.

    A page may have its ref under any name, and its values may still be percent-encoded.
    """
    named = [("", ref)] if ref else []
    found = [*named, *sorted(_parameters(query or ""), key=_unlikely)]
    values = (unquote(value) for _, value in found)
    return list(dict.fromkeys(filter(refs.may_be_ref, values)))[:MAX_CANDIDATES]


def _unlikely(parameter: tuple[str, str]) -> int:
    name, value = parameter
    if name == refs.PARAMETER:
        return 0
    if name == _SCENE:
        return 1
    # Of two values of that form, a number is rather the id of a product.
    return 3 if value.isdecimal() else 2


def _parameters(query: str) -> Iterator[tuple[str, str]]:
    for part in query.split("&")[:MAX_PARAMETERS]:
        name, _, value = part.partition("=")
        yield unquote(name), value


def _encoded(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str | int | float):
        raise ValueError("must hold texts as the values of its parameters: put them in quotes")
    try:
        return quote(str(value), safe=_SAFE)
    except UnicodeEncodeError:
        raise ValueError("holds half of a character (a lone surrogate): type it again") from None
