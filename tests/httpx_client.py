"""Calls of WeChat's API over a client of httpx, which may lead to a program in this process."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager

import aiohttp
import httpx

from app.wechat.client import Request


class HttpxClient:
    """A client of WeChat's API, as `app.wechat.client.Client` says. Its owner closes `client`."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    @asynccontextmanager
    async def send(
        self, request: Request, on_begin: Callable[[], None]
    ) -> AsyncIterator["HttpxResponse"]:
        """Send a request. on_begin: is called if the transport says that it sends the head."""

        async def trace(event: str, _: object) -> None:
            if event.endswith(".send_request_headers.started"):
                on_begin()

        upload = request.upload
        files = None if upload is None else {upload.field: (upload.filename, upload.content)}
        built = self._client.build_request(
            request.method,
            request.address,
            params=request.query,
            content=request.body,
            files=files,
            headers=None if request.body is None else {"Content-Type": "application/json"},
        )
        built.extensions = {"trace": trace}
        try:
            response = await self._client.send(built, stream=True, follow_redirects=False)
        except httpx.RequestError as error:
            raise aiohttp.ClientConnectionError(str(error)) from error
        try:
            yield HttpxResponse(response)
        finally:
            await response.aclose()

    async def close(self) -> None:
        """Do nothing."""


class HttpxResponse:
    """A response of httpx."""

    def __init__(self, response: httpx.Response) -> None:
        self._response = response

    @property
    def status(self) -> int:
        """The HTTP status."""
        return self._response.status_code

    @property
    def headers(self) -> Mapping[str, str]:
        """By name, in any case."""
        return self._response.headers

    async def read(self, most: int) -> bytes:
        """Return the body; more than `most` bytes of it if it has more."""
        content = bytearray()
        try:
            async for chunk in self._response.aiter_bytes():
                content += chunk
                if len(content) > most:
                    break
        except httpx.RequestError as error:
            raise aiohttp.ClientPayloadError(str(error)) from error
        return bytes(content)
