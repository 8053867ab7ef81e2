"""Says of a value whether Postgres refuses it, without asking Postgres.

`database_check` holds it against a real Postgres, with a share of the values that the fuzzer made.
"""

import json
import re
from collections.abc import Iterable
from datetime import datetime
from typing import Final, NoReturn

MAX_BIGINT: Final = 2**63 - 1
MAX_JSON_DEPTH: Final = 1_000
"""Postgres nests as deep as its stack lets it, some thousand levels; nothing here needs so many."""

MAX_JSON_DIGITS: Final = 16_383
"""A `numeric` has more digits before the point, but no more behind it."""

_NULL_ESCAPE: Final = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")


class JsonText(str):
    """A text that goes into a column of the type jsonb."""

    __slots__ = ()


def refusal(values: Iterable[object]) -> str | None:
    """Return why Postgres refuses one of the values; None if it takes them all."""
    for value in values:
        found = _refusal(value)
        if found is not None:
            return found
    return None


def _refusal(value: object) -> str | None:
    match value:
        case str():
            found = _of_text(value)
            return found or (_of_json_text(value) if isinstance(value, JsonText) else None)
        case int() if not -MAX_BIGINT - 1 <= value <= MAX_BIGINT:
            return "an integer of over 64 bits"
        case datetime() if value.tzinfo is None:
            return "a time without a time zone"
        case list() | tuple():
            return refusal(value)
    return None


def _of_text(text: str) -> str | None:
    if "\x00" in text:
        return "a NUL character"
    try:
        text.encode()
    except UnicodeEncodeError:
        return "half of a surrogate pair"
    return None


def _of_json_text(text: str) -> str | None:
    if _NULL_ESCAPE.search(text):
        return "an escaped NUL character"
    try:
        read = json.loads(text, parse_int=_Digits, parse_float=_Digits, parse_constant=_refuse)
        return _of_json(read, 1)
    except (ValueError, RecursionError) as error:
        return f"no JSON: {type(error).__name__}"


def _refuse(constant: str) -> NoReturn:
    """NaN and the infinities, which Python reads and writes, are no JSON."""
    raise ValueError(constant)


class _Digits(str):
    """A number of JSON as it is written."""

    __slots__ = ()


def _of_json(value: object, depth: int) -> str | None:
    if depth > MAX_JSON_DEPTH:
        return "JSON that is nested too deeply"
    match value:
        case _Digits():
            return _of_number(value)
        case str():
            return _of_text(value)
        case dict():
            return _first([*value, *value.values()], depth + 1)
        case list():
            return _first(value, depth + 1)
    return None


def _first(values: Iterable[object], depth: int) -> str | None:
    for value in values:
        found = _of_json(value, depth)
        if found is not None:
            return found
    return None


def _of_number(digits: str) -> str | None:
    mantissa, _, exponent = digits.lower().partition("e")
    length = len(mantissa) + abs(int(exponent or 0))
    return None if length <= MAX_JSON_DIGITS else "a number with too many digits"
