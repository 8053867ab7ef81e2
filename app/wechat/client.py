"""The HTTP client of a worker, which makes many calls of WeChat's API at the same time."""

from collections.abc import Sequence
from itertools import cycle
from typing import Final
from urllib.request import getproxies

import httpx

# httpx looks through all connections of a pool twice for each call, and once more for each that is
# idle. With the fifty calls of an account in one pool that takes longer than everything else.
POOLS: Final = 16
# Some gateways close a connection that was idle for five seconds, and so would a call that begins
# at that moment be cut off: nobody knows then whether WeChat has got the message.
IDLE_SECONDS: Final = 3.0


class PoolSet(httpx.AsyncBaseTransport):
    """Several transports, each with a pool of connections of its own, that take turns."""

    def __init__(self, transports: Sequence[httpx.AsyncBaseTransport]) -> None:
        self._transports = transports
        self._turns = cycle(transports)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request over the next pool. Raises the errors of its transport."""
        return await next(self._turns).handle_async_request(request)

    async def aclose(self) -> None:
        """Close all connections."""
        for transport in self._transports:
            await transport.aclose()


class PoolClient(httpx.AsyncClient):
    """A client that hands each request to its pools at once.

    What httpx does besides (cookies, authentication, redirects, hooks, its log) takes a tenth of
    the CPU of a call, and no call of WeChat's API has any of it.
    """

    def __init__(self, pools: PoolSet) -> None:
        super().__init__(transport=pools)
        self._pools = pools

    async def send(
        self, request: httpx.Request, *, stream: bool = False, **_: object
    ) -> httpx.Response:
        """Send a request. Raises the errors of its transport."""
        response = await self._pools.handle_async_request(request)
        response.request = request
        if not stream:
            await response.aread()
        return response


def open_client(calls: int) -> httpx.AsyncClient:
    """Return a client for so many calls at once. A connection that a call leaves serves another.

    One that is idle for IDLE_SECONDS is closed. A pool takes more than its part of the calls, since
    slow ones may meet in it.
    """
    if getproxies().keys() & {"http", "https", "all"}:
        # httpx reads the proxies of the environment only if it makes the transport itself.
        return httpx.AsyncClient(
            limits=httpx.Limits(
                max_connections=calls,
                max_keepalive_connections=calls,
                keepalive_expiry=IDLE_SECONDS,
            )
        )
    limits = httpx.Limits(
        max_connections=calls,
        max_keepalive_connections=max(calls // POOLS, 1),
        keepalive_expiry=IDLE_SECONDS,
    )
    context = httpx.create_ssl_context()
    return PoolClient(
        PoolSet([httpx.AsyncHTTPTransport(verify=context, limits=limits) for _ in range(POOLS)])
    )
