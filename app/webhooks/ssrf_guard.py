"""Connects to endpoints at addresses that were looked at first, so that no name leads inside."""

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeAlias

import httpx

from app.webhooks.public_addresses import is_public
from app.webhooks.url_policy import Policy

Resolver: TypeAlias = Callable[[str, int], Awaitable[Sequence[str]]]


class AddressRefused(Exception):
    """The host has an address that nothing may be sent to."""


async def resolve(host: str, port: int) -> list[str]:
    """Return the host's IP addresses, the preferred one first. Raises OSError."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in found]


class CheckedTransport(httpx.AsyncBaseTransport):
    """Sends each request to an address of its host that was checked, never to the name.

    A name may have another address the next moment: what is checked is what is connected to.
    The certificate is checked against the name all the same. One transport serves one host: by
    address alone a kept connection could serve a host that its certificate is not for.
    """

    def __init__(self, policy: Policy, resolver: Resolver, context: ssl.SSLContext) -> None:
        self._policy = policy
        self._resolve = resolver
        self._inner = httpx.AsyncHTTPTransport(verify=context, trust_env=False)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request. Raises AddressRefused, OSError or httpx.TransportError."""
        url = request.url
        port = url.port or (443 if url.scheme == "https" else 80)
        request.extensions = {**request.extensions, "sni_hostname": url.raw_host.decode("ascii")}
        failure: httpx.ConnectError | httpx.ConnectTimeout | None = None
        for address in await self._addresses(url.host, port):
            request.url = url.copy_with(host=address)
            try:
                return await self._inner.handle_async_request(request)
            except (httpx.ConnectError, httpx.ConnectTimeout) as error:
                failure = error
        raise failure or httpx.ConnectError("the host has no address")

    async def aclose(self) -> None:
        """Close the connections."""
        await self._inner.aclose()

    async def _addresses(self, host: str, port: int) -> Sequence[str]:
        found = await self._resolve(host, port)
        if not self._policy.private and not all(is_public(address) for address in found):
            raise AddressRefused(host)
        return found
