"""SSRF guard: resolves the host, rejects private addresses, connects to the checked address."""

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeAlias

import httpx

from app.http_client.public_addresses import is_public
from app.http_client.url_policy import Policy

Resolver: TypeAlias = Callable[[str, int], Awaitable[Sequence[str]]]


class AddressRefused(Exception):
    """The host has a private address, to which nothing may be sent."""


async def resolve(host: str, port: int) -> list[str]:
    """Return the host's IP addresses, the preferred one first. Raises OSError."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in found]


async def checked_addresses(
    host: str, port: int, policy: Policy, resolver: Resolver
) -> Sequence[str]:
    """Return the addresses of a host to connect to. Raises AddressRefused or OSError."""
    found = await resolver(host, port)
    if not policy.private and not all(is_public(address) for address in found):
        raise AddressRefused(host)
    return found


class CheckedTransport(httpx.AsyncBaseTransport):
    """Sends each request to a checked IP address of its host.

    The certificate is still checked against the name. Use one transport for one host only: kept
    connections are found by address, so one could serve a host that its certificate is not for.
    """

    def __init__(self, policy: Policy, resolver: Resolver, context: ssl.SSLContext) -> None:
        self._policy = policy
        self._resolve = resolver
        self._inner = httpx.AsyncHTTPTransport(verify=context, trust_env=False)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request. Raises AddressRefused, OSError or httpx.TransportError."""
        url = request.url
        port = url.port or (443 if url.scheme == "https" else 80)
        # The ASCII form: Python's resolver would make another name of some others, as of straße.de.
        host = url.raw_host.decode("ascii")
        request.extensions = {**request.extensions, "sni_hostname": host}
        failure: httpx.ConnectError | httpx.ConnectTimeout | None = None
        # The name may have another address a moment later, so the request goes to the address.
        for address in await checked_addresses(host, port, self._policy, self._resolve):
            request.url = url.copy_with(host=address)
            try:
                return await self._inner.handle_async_request(request)
            except (httpx.ConnectError, httpx.ConnectTimeout) as error:
                failure = error
        raise failure or httpx.ConnectError("the host has no address")

    async def aclose(self) -> None:
        """Close the connections."""
        await self._inner.aclose()
