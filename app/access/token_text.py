"""The text of an API token. Pure."""

import re
from typing import Final

from app.access.random_secret import new_secret

# Programs that look for secrets in public places find tokens by it.
PREFIX: Final = "oab_"
_TOKEN: Final = re.compile(rf"{PREFIX}[A-Za-z0-9_-]{{43}}", re.ASCII)


def new_token() -> str:
    """Return a new token: `oab_` and 43 characters of `A-Z a-z 0-9 - _`."""
    return PREFIX + new_secret()


def is_token(text: str) -> bool:
    """Return whether a text has the form of a token; any other is known nowhere."""
    return _TOKEN.fullmatch(text) is not None
