"""Takes members out of a JSON document, however deep they are: pure."""

import json
from collections.abc import Sequence


def without_members(document: object, members: Sequence[str]) -> object:
    """Return the document without these members, whose names are in small letters.

    A text that is a JSON object or array itself is looked into, too.
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
    except RecursionError:  # nobody writes so to be read, and it must not outlast an erasure
        return ""
