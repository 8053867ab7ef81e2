"""Counts the values of a JSON document before anything is done for each of them.

Validation keeps an error for each bad value, a thousand bytes or more: without a limit, a document
of a megabyte that holds nothing but `{}` would take a gigabyte.
"""

import re
from typing import Final

MAX_VALUES: Final = 10_000
"""Twice as many as the largest valid request has: 1,000 identities with four members each."""


def too_many(limit: int) -> str:
    """Return what to do about a request that holds more values than the limit."""
    return f"holds more than {limit} values: split the request"


TOO_MANY: Final = too_many(MAX_VALUES)

_STRING: Final = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)


def too_many_in(body: bytes, limit: int = MAX_VALUES) -> bool:
    """Tell whether a JSON text has more values than the limit; it need not be valid."""
    # Quick for nearly all: characters inside of texts only make the count too high.
    return _marks(body) > limit and _marks(_STRING.sub(b"", body)) > limit


def _marks(body: bytes) -> int:
    # Each value but the first of a list or object stands behind a comma.
    return sum(map(body.count, (b",", b"[", b"{")))


def are_too_many(value: object) -> bool:
    """Tell whether a value that has been read holds more than MAX_VALUES values."""
    pending, count = [value], 0
    while pending:
        inner = pending.pop()
        if isinstance(inner, dict):
            pending += inner.values()
        elif isinstance(inner, list):
            pending += inner
        else:
            continue
        count += len(inner)
        if count > MAX_VALUES:
            return True
    return False
