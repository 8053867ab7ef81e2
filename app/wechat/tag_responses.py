"""Turns responses about tags into typed values. Pure. Source: protocol 8."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from app.wechat.read_response import number_of, unreadable_response

# An account has 100 tags of its own, and WeChat adds some.
MAX_TAGS: Final = 200
MAX_NAME: Final = 200


@dataclass(frozen=True, slots=True)
class ListedTag:
    """A tag of an account. count: how many followers have it."""

    id: int
    name: str
    count: int


def tags(response: Mapping[str, Any]) -> list[ListedTag]:
    """Read the tags of an account, and leave out what has no id or no name.

    Raises TransportError.
    """
    found = response.get("tags")
    if not isinstance(found, list):
        raise unreadable_response()
    read = [_tag(one) for one in found[:MAX_TAGS] if isinstance(one, Mapping)]
    return list({one.id: one for one in read if one is not None}.values())


def tag_id(response: Mapping[str, Any]) -> int:
    """Read the id of a new tag. Raises TransportError."""
    tag = response.get("tag")
    found = number_of(tag.get("id")) if isinstance(tag, Mapping) else None
    if found is None or found < 0:
        raise unreadable_response()
    return found


def _tag(one: Mapping[str, Any]) -> ListedTag | None:
    number, name = number_of(one.get("id")), one.get("name")
    if number is None or number < 0 or not isinstance(name, str):
        return None
    count = max(number_of(one.get("count")) or 0, 0)
    return ListedTag(number, name.replace("\0", "")[:MAX_NAME], count)
