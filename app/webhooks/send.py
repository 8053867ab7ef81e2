"""Sends one signed body to one endpoint and returns its response."""

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
CONNECT_TIMEOUT_SECONDS = 5.0
# Only the status matters. A short body is read so that the connection can be used again.
MAX_RESPONSE_BYTES = 64 * 1024
BODY_TIMEOUT_SECONDS = 2.0


@asynccontextmanager
async def endpoint_client(policy: Policy, resolver: Resolver) -> AsyncIterator[httpx.AsyncClient]:
    """Yield a client for one endpoint, which follows no redirects and uses no proxies."""
    async with httpx.AsyncClient(
        transport=CheckedTransport(policy, resolver, _context()),
        follow_redirects=False,
        trust_env=False,
        # asyncio limits the whole attempt. Connecting has its own limit, with which httpx closes
        # the socket of a TLS handshake that hangs.
        timeout=httpx.Timeout(None, connect=CONNECT_TIMEOUT_SECONDS),
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
    """Send a signed body within 15 seconds. It raises no error: an attempt fails instead.

    Such an error is in the result, by its type only, since its text could hold parts of the URL.
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
    except Exception as error:  # noqa: BLE001 - what a receiver does must not end the job
        return EndpointResponse(error=type(error).__name__)


async def _post(client: httpx.AsyncClient, url: httpx.URL, signed: Signed) -> EndpointResponse:
    async with client.stream("POST", url, content=signed.body, headers=signed.headers) as response:
        with suppress(httpx.HTTPError, TimeoutError):
            async with asyncio.timeout(BODY_TIMEOUT_SECONDS):
                await _read_some(response)
        return EndpointResponse(
            response.status_code, retry_after=response.headers.get("retry-after")
        )


async def _read_some(response: httpx.Response) -> None:
    read = 0
    async for chunk in response.aiter_raw():
        read += len(chunk)
        if read > MAX_RESPONSE_BYTES:
            return


@cache
def _context() -> ssl.SSLContext:
    # To read the certificate authorities takes long, so it is done once.
    return httpx.create_ssl_context(trust_env=False)
