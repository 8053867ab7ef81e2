"""Checks the URL to which a browser goes when the mini-program can't be opened. Pure."""

from typing import Final

from app.http_client.read_url import read_url

MAX_URL: Final = 1024


class BadFallback(ValueError):
    """The URL is not allowed. The text says how to correct it."""


def check_fallback(text: str) -> None:
    """Raise BadFallback unless browsers can go there. The service itself never calls it."""
    if not text.isascii() or any(character <= " " for character in text):
        raise BadFallback("holds a blank or a character that is not ASCII: percent-encode it")
    url = read_url(text)
    if url is None:
        raise BadFallback("is not a URL: write it as https://host/path")
    if url.scheme not in ("http", "https") or not url.host:
        raise BadFallback("must start with https:// and name a host")
    if url.userinfo:
        raise BadFallback("must not hold a user name or password: remove them")
