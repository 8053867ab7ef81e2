"""One attempt: a signed body to one endpoint, and how it answered."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import cache
from importlib.metadata import version

import httpx

from app.webhooks.retry_policy import EndpointResponse
from app.webhooks.signing import Signed
from app.webhooks.ssrf_guard import AddressRefused, CheckedTransport, Resolver
from app.webhooks.url_policy import BadUrl, Policy, parse_url

ATTEMPT_TIMEOUT_SECONDS = 15.0
CONNECT_SECONDS = 5.0
# The status is the answer. A short body is read so that its connection can be used again.
MAX_BYTES_OF_ANSWER = 64 * 1024
SECONDS_FOR_THE_BODY = 2.0


@asynccontextmanager
async def poster(policy: Policy, resolver: Resolver) -> AsyncIterator[httpx.AsyncClient]:
    """Yield a client for one endpoint: no redirects, no proxies, no cookies to other hosts."""
    async with httpx.AsyncClient(
        transport=CheckedTransport(policy, resolver, _context()),
        follow_redirects=False,
        trust_env=False,
        # The limit of the whole attempt is ours; connecting keeps its own, since httpx then
        # closes the socket of a TLS handshake that never ends.
        timeout=httpx.Timeout(None, connect=CONNECT_SECONDS),
        headers={
            "user-agent": f"oa-bridge/{version('oa-bridge')}",
            "content-type": "application/json",
            "accept-encoding": "identity",
        },
    ) as client:
        yield client


async def post(
    client: httpx.AsyncClient, url: str, signed: Signed, policy: Policy
) -> EndpointResponse:
    """Send a signed body within 15 seconds. Never raises for what an endpoint does.

    An error is told by its kind alone: its text could hold parts of the URL.
    """
    try:
        async with asyncio.timeout(ATTEMPT_TIMEOUT_SECONDS):
            return await _post(client, parse_url(url, policy), signed)
    except TimeoutError:
        return EndpointResponse(error="no answer in time")
    except BadUrl as error:
        return EndpointResponse(error=f"the URL {error}")
    except AddressRefused:
        return EndpointResponse(
            error="the host has an address inside a network (WEBHOOK_ALLOW_PRIVATE)"
        )
    except (httpx.HTTPError, OSError, UnicodeError) as error:
        return EndpointResponse(error=type(error).__name__)


async def _post(client: httpx.AsyncClient, url: httpx.URL, signed: Signed) -> EndpointResponse:
    async with client.stream("POST", url, content=signed.body, headers=signed.headers) as response:
        with suppress(httpx.HTTPError, TimeoutError):
            async with asyncio.timeout(SECONDS_FOR_THE_BODY):
                await _read_some(response)
        return EndpointResponse(
            response.status_code, retry_after=response.headers.get("retry-after")
        )


async def _read_some(response: httpx.Response) -> None:
    read = 0
    async for chunk in response.aiter_raw():
        read += len(chunk)
        if read > MAX_BYTES_OF_ANSWER:
            return


@cache
def _context() -> ssl.SSLContext:
    """Reading the certificate authorities takes long enough to do it once."""
    return httpx.create_ssl_context(trust_env=False)
