"""Reads the URL that somebody typed. Pure."""

import httpx


def read_url(text: str) -> httpx.URL | None:
    """Return the URL; None if it is none, or its host is no name such as `xn--`."""
    try:
        url = httpx.URL(text)
        _ = url.host, url.port  # decoded only now: UnicodeError where a label is not IDNA
    except (httpx.InvalidURL, UnicodeError):
        return None
    return url
