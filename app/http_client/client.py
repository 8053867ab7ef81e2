"""HTTP clients for addresses that an operator entered: webhooks, and pictures of rules."""

import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import cache
from importlib.metadata import version

import httpx

from app.http_client.ssrf_guard import CheckedTransport, Resolver
from app.http_client.url_policy import Policy

CONNECT_TIMEOUT_SECONDS = 5.0


@asynccontextmanager
async def checked_client(
    policy: Policy, resolver: Resolver, headers: Mapping[str, str]
) -> AsyncIterator[httpx.AsyncClient]:
    """Yield a client for one host. It follows no redirects, uses no proxies and knows no secrets.

    It asks for a body without encoding: a few bytes may decode to more than the memory holds.
    """
    async with httpx.AsyncClient(
        transport=CheckedTransport(policy, resolver, _context()),
        follow_redirects=False,
        trust_env=False,
        # asyncio limits the whole call. Connecting has its own limit, with which httpx closes the
        # socket of a TLS handshake that hangs.
        timeout=httpx.Timeout(None, connect=CONNECT_TIMEOUT_SECONDS),
        headers={
            "user-agent": f"oa-bridge/{version('oa-bridge')}",
            "accept-encoding": "identity",
            **headers,
        },
    ) as client:
        yield client


@cache
def _context() -> ssl.SSLContext:
    # To read the certificate authorities takes long, so it is done once.
    return httpx.create_ssl_context(trust_env=False)
