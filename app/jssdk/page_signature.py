"""The signature of a page for `wx.config`, and which pages get one. Pure.

Source: protocol 9.6; linkage 6.2.
"""

import hashlib
import re
from collections.abc import Iterable
from typing import Final
from urllib.parse import urlsplit

MAX_URL: Final = 2048
_PRINTABLE: Final = range(0x21, 0x7F)
# A browser shows no other host: it decodes what is percent-encoded, and refuses empty labels.
_HOST: Final = re.compile(r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)*\.?|[0-9a-f:.]+")


class BadPage(ValueError):
    """The address is none that a browser shows of a page. The text says how to correct it."""


class ForeignHost(Exception):
    """The page is not on a JS-safe domain of the account."""


def signature(ticket: str, nonce: str, timestamp: int, url: str) -> str:
    """Return the signature of a page, 40 hex digits.

    url: as the browser has it before `#`; it is signed as it is, without encoding it again.
    """
    signed = f"jsapi_ticket={ticket}&noncestr={nonce}&timestamp={timestamp}&url={url}"
    # The protocol demands SHA-1.
    return hashlib.sha1(signed.encode(), usedforsecurity=False).hexdigest()


def signed_page(url: str, domains: Iterable[str]) -> str:
    """Return the address to sign: what stands before `#`. Raises BadPage, ForeignHost.

    domains: the JS-safe domains of the account, in lower case.
    """
    page = url.partition("#")[0]
    if len(page) > MAX_URL:
        raise BadPage(f"has {len(page)} characters: at most {MAX_URL} are signed")
    # A browser shows an address in ASCII, without blanks; what a parser would drop is refused.
    if not all(ord(character) in _PRINTABLE for character in page):
        raise BadPage("holds blanks or characters that no address has: send location.href encoded")
    host = host_of(page)
    if host is None:
        raise BadPage("is no address of a page: send encodeURIComponent(location.href)")
    if not is_within(host, domains):
        raise ForeignHost(host)
    return page


def host_of(url: str) -> str | None:
    """Return the host of an http or https address, in lower case; None if it is none."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return None
    # A browser shows no name and password, and takes a backslash for a slash.
    if parts.scheme not in {"http", "https"} or "@" in parts.netloc or "\\" in url:
        return None
    host = parts.hostname
    return host if host is not None and _HOST.fullmatch(host) is not None else None


def is_within(host: str, domains: Iterable[str]) -> bool:
    """Tell whether a host is one of the domains or below one of them."""
    return any(host == domain or host.endswith(f".{domain}") for domain in domains)
