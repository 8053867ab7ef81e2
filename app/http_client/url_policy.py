"""Checks a URL that an operator entered, without resolving its host. Pure."""

import re
import socket
from dataclasses import dataclass
from typing import Final, Literal

import httpx

from app.http_client.public_addresses import is_public
from app.http_client.read_url import read_url

MAX_PORT = 65535

_LABEL: Final = "[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
# A name as DNS takes it, or an IPv6 address. Others make the resolver fail with a UnicodeError.
_HOST: Final = re.compile(
    rf"(?=.{{1,253}}$)(?:{_LABEL}\.)*{_LABEL}\.?|[0-9a-f.]*:[0-9a-f:.]+", re.IGNORECASE
)


class BadUrl(ValueError):
    """The URL is not allowed. The text says how to correct it."""


@dataclass(frozen=True, slots=True)
class Policy:
    """What the settings allow. http: unencrypted connections. private: private addresses.

    settings: the first word of those settings, for messages.
    """

    http: bool
    private: bool
    settings: Literal["WEBHOOK", "MEDIA"] = "WEBHOOK"


def parse_url(text: str, policy: Policy) -> httpx.URL:
    """Return the URL to send to. Raises BadUrl.

    A host name is accepted here; the SSRF guard checks its addresses when it is called.
    """
    url = read_url(text)
    if url is None:
        raise BadUrl("is not a URL: write it as https://host/path")
    port, host = url.port, url.host
    if url.scheme not in ("http", "https") or not host:
        raise BadUrl("must start with https:// and name a host")
    if url.scheme == "http" and not policy.http:
        raise BadUrl("must start with https:// (or set WEBHOOK_ALLOW_HTTP=true)")
    if not _HOST.fullmatch(url.raw_host.decode("ascii")):
        raise BadUrl("names a host that can't exist: write it as host.example.com, or as xn--…")
    if url.userinfo:
        raise BadUrl("must not hold a user name or password: remove them")
    if url.fragment or "#" in text:
        raise BadUrl("must not hold a fragment (#…)")
    if port is not None and not 1 <= port <= MAX_PORT:
        raise BadUrl(f"has a port that is not between 1 and {MAX_PORT}")
    # A full stop at the end changes nothing but that the host's own search list is not used.
    if not policy.private and _names_a_private_address(host.removesuffix(".")):
        raise BadUrl(
            "names an address inside a network: use a public one (or set "
            f"{policy.settings}_ALLOW_PRIVATE=true)"
        )
    return url


def _names_a_private_address(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return not is_public(_written_in_full(host))
    except ValueError:
        return False


def _written_in_full(host: str) -> str:
    """Return an IPv4 address such as `127.1` or `0x7f000001` with all four numbers."""
    if not host.rpartition(".")[2][:1].isdigit():
        return host  # a name: its last label never begins with a digit
    try:
        return socket.inet_ntoa(socket.inet_aton(host))
    except OSError:
        return host
