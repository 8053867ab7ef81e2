"""Sends one signed body to one endpoint and returns its response."""

import asyncio
from contextlib import AbstractAsyncContextManager, suppress

import httpx

from app.http_client.client import checked_client
from app.http_client.ssrf_guard import AddressRefused, Resolver
from app.http_client.url_policy import BadUrl, Policy, parse_url
from app.webhooks.retry_policy import EndpointResponse
from app.webhooks.signing import Signed

ATTEMPT_TIMEOUT_SECONDS = 15.0
# Only the status matters. A short body is read so that the connection can be used again.
MAX_RESPONSE_BYTES = 64 * 1024
BODY_TIMEOUT_SECONDS = 2.0


def endpoint_client(
    policy: Policy, resolver: Resolver
) -> AbstractAsyncContextManager[httpx.AsyncClient]:
    """Return a client for one endpoint, which follows no redirects and uses no proxies."""
    return checked_client(policy, resolver, {"content-type": "application/json"})


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
