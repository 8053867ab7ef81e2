"""Reads JSON: every value becomes text that Postgres can store."""

import json
import re

from app.wechat.errors import BadEnvelope

MAX_DEPTH = 32

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def parse_json(text: str) -> dict[str, object]:
    """Return the members of a JSON object. Numbers keep their digits, and NaN its name.

    Raises BadEnvelope (malformed).
    """
    try:
        root = _DECODER.decode(text)
    except (ValueError, RecursionError) as error:
        raise BadEnvelope("malformed") from error
    if not isinstance(root, dict):
        raise BadEnvelope("malformed")
    return {name: _as_text(value, 2) for name, value in root.items()}


def _members(pairs: list[tuple[str, object]]) -> dict[str, object]:
    # Some official samples have blanks around member names. Source: protocol 2.4.
    members = {_storable(name).strip(): value for name, value in pairs}
    return members if len(members) == len(pairs) else _gathered(pairs)


def _gathered(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Return one list for each repeated name, as for a repeated element of XML."""
    values: dict[str, list[object]] = {}
    for name, value in pairs:
        values.setdefault(_storable(name).strip(), []).append(value)
    return {name: found[0] if len(found) == 1 else found for name, found in values.items()}


# strict=False accepts control characters that a follower typed, as the XML reader does.
_DECODER = json.JSONDecoder(
    object_pairs_hook=_members,
    parse_int=str,
    parse_float=str,
    parse_constant=str,
    strict=False,
)


def _as_text(value: object, depth: int) -> object:
    if depth > MAX_DEPTH:
        raise BadEnvelope("malformed")
    match value:
        case str():
            return _storable(value)
        case dict():
            return {name: _as_text(member, depth + 1) for name, member in value.items()}
        case list():
            return [_as_text(item, depth + 1) for item in value]
        case bool():
            return "true" if value else "false"
    return ""


def _storable(text: str) -> str:
    """Return the text without NUL; half of a surrogate pair becomes U+FFFD."""
    return _UNSTORABLE.sub(_storable_form, text)


def _storable_form(unstorable: re.Match[str]) -> str:
    return "" if unstorable[0] == "\x00" else "\ufffd"
