"""The mark with which each `{ref}` of a version begins."""

import secrets
from typing import Final

_BYTES: Final = 6


def new_mark() -> str:
    """Return eight characters that no other version has, but for a chance that does not count."""
    return secrets.token_urlsafe(_BYTES)
