"""Masks secrets and message text in logs. Pure."""

import re
from collections.abc import Mapping
from typing import Any, Final

from structlog.typing import EventDict, WrappedLogger

from app.ops.error_text import error_text, without_task_errors

MASK: Final = "***"

SECRET_NAMES: Final = re.compile(
    r"secret|password|authorization|cookie|credential"
    r"|(^|_)(token|tokens|key|signature|session_key|ticket|content|text|body|payload)$"
    r"|(^|_)(token|key)_previous$",
    re.IGNORECASE,
)

# Ids of a job or a menu item, which give access to nothing.
HARMLESS_NAMES: Final = frozenset({"dedupe_key", "event_key", "eventkey"})

# It matches in URLs, in `key=value` and `"key": "value"` texts, and in the repr of a dict.
SECRET_PARTS: Final = re.compile(
    r"""(?P<name>
          access_token | (?:app)?secret | (?:msg_)?signature | session_key | js_code
        | encoding_?aes_?key | refresh_token | ticket
        )
        (?P<between> ["']? \s* [=:] \s* ["']? )
        [^\s&"',;)}\]]+
    """,
    re.IGNORECASE | re.VERBOSE,
)
BEARER: Final = re.compile(r"\b(Bearer|Basic)\s+[^\s\"',]+", re.IGNORECASE)
URL_PASSWORD: Final = re.compile(r"(?P<head>\b[a-z][a-z0-9+.-]*://[^\s:/@]*:)[^\s/@]+@")

MAX_DEPTH: Final = 8


def redact(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Mask secrets in a log event. A structlog processor that runs after exceptions became text."""
    return {name: _clean(name, value, MAX_DEPTH) for name, value in event.items()}


def scrub(text: str) -> str:
    """Return `text` without query secrets, bearer tokens, URL passwords and errors of tasks."""
    text = SECRET_PARTS.sub(rf"\g<name>\g<between>{MASK}", text)
    text = BEARER.sub(rf"\1 {MASK}", text)
    text = URL_PASSWORD.sub(rf"\g<head>{MASK}@", text)
    return without_task_errors(text)


def _clean(name: str, value: object, depth: int) -> Any:  # noqa: ANN401 - any log value
    if SECRET_NAMES.search(name) and name.lower() not in HARMLESS_NAMES:
        return MASK if value is not None else None
    return _scrubbed(value, depth)


def _scrubbed(value: object, depth: int) -> object:
    if isinstance(value, bool | int | float) or value is None:
        return value
    if isinstance(value, BaseException):
        return scrub(error_text(value))
    if depth == 0:
        return MASK
    if isinstance(value, Mapping):
        return {str(key): _clean(str(key), item, depth - 1) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_scrubbed(item, depth - 1) for item in value]
    return scrub(value if isinstance(value, str) else repr(value))
