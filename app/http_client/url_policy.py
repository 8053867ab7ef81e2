"""Checks a URL that an operator entered, without resolving its host. Pure."""

import socket
from dataclasses import dataclass
from typing import Literal

import httpx

from app.http_client.public_addresses import is_public

MAX_PORT = 65535


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
    try:
        url = httpx.URL(text)
        port = url.port
    except httpx.InvalidURL:
        raise BadUrl("is not a URL: write it as https://host/path") from None
    if url.scheme not in ("http", "https") or not url.host:
        raise BadUrl("must start with https:// and name a host")
    if url.scheme == "http" and not policy.http:
        raise BadUrl("must start with https:// (or set WEBHOOK_ALLOW_HTTP=true)")
    if url.userinfo:
        raise BadUrl("must not hold a user name or password: remove them")
    if url.fragment or "#" in text:
        raise BadUrl("must not hold a fragment (#…)")
    if port is not None and not 1 <= port <= MAX_PORT:
        raise BadUrl(f"has a port that is not between 1 and {MAX_PORT}")
    if not policy.private and _names_a_private_address(url.host):
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
