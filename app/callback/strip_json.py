"""Removes members from a JSON document, at any depth. Pure."""

import json
from collections.abc import Sequence


def without_members(document: object, members: Sequence[str]) -> object:
    """Return the document without these members, whose names are in small letters.

    A string that holds a JSON object or array itself is searched, too.
    """
    match document:
        case dict():
            return {
                name: without_members(value, members)
                for name, value in document.items()
                if name.lower() not in members
            }
        case list():
            return [without_members(value, members) for value in document]
        case str() if document.lstrip().startswith(("{", "[")):
            return _without_inside(document, members)
    return document


def _without_inside(text: str, members: Sequence[str]) -> str:
    try:
        inner = json.loads(text)
        left = without_members(inner, members)
        return text if left == inner else json.dumps(left)
    except ValueError:
        return text
    except RecursionError:  # too deep for any reader, and it must not survive an erasure
        return ""
