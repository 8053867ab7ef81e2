"""The HTTP client of calls to WeChat's API, which makes many of them at the same time."""

import mimetypes
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import cache, lru_cache
from http import HTTPMethod
from io import BytesIO
from types import SimpleNamespace
from typing import Any, Final, Protocol, Self
from urllib.request import getproxies, proxy_bypass

import aiohttp
import httpx
from yarl import URL

from app.value_class import value_class

# Some gateways close a connection that was idle for five seconds, and so would a call that begins
# at that moment be cut off: nobody knows then whether WeChat has got the message.
IDLE_SECONDS: Final = 3.0
# Calls at once of a process that has no other number in mind.
CALLS: Final = 100
MAX_URLS: Final = 256
# None is encoded: a few bytes may decode to more than the memory holds.
HEADERS: Final = {"Accept-Encoding": "identity"}


@value_class
class Upload:
    """A file of a form: the name of its field, its own name, which tells its type, its bytes."""

    field: str
    filename: str
    content: bytes


@value_class
class Request:
    """One call. address: without the query. body: JSON as bytes; None for none, or an upload."""

    method: HTTPMethod
    address: str
    query: Mapping[str, str]
    body: bytes | None = None
    upload: Upload | None = None


class Response(Protocol):
    """A response whose head has come."""

    @property
    def status(self) -> int:
        """The HTTP status."""
        ...

    @property
    def headers(self) -> Mapping[str, str]:
        """By name, in any case."""
        ...

    async def read(self, most: int) -> bytes:
        """Return the body as it was sent; if it has more than `most` bytes, more than these.

        Raises the errors of the client.
        """
        ...


class Client(Protocol):
    """Makes calls. It follows no redirect, and keeps no cookie."""

    def send(
        self, request: Request, on_begin: Callable[[], None]
    ) -> AbstractAsyncContextManager[Response]:
        """Send a request and yield its response, which ends with the block.

        on_begin: is called before the first byte of the request leaves. Raises OSError, a subclass
        of it or aiohttp.ClientError; a caller limits the time.
        """
        ...

    async def close(self) -> None:
        """Close the connections."""
        ...


class ApiClient:
    """The client of a process. A connection that a call leaves serves another.

    calls: how many it makes at once; further ones wait. A connection that is idle for IDLE_SECONDS
    is closed. The proxies of the environment are used.
    """

    def __init__(self, calls: int = CALLS) -> None:
        self._calls = calls
        self._proxies = getproxies()
        self._session: aiohttp.ClientSession | None = None

    @asynccontextmanager
    async def send(
        self, request: Request, on_begin: Callable[[], None]
    ) -> AsyncIterator["_Response"]:
        """Send a request, as `Client` says."""
        url = _url(request.address, tuple(request.query.items()))
        try:
            async with self._opened().request(
                request.method,
                url,
                data=_form(request.upload) if request.upload else request.body,
                headers=None if request.body is None else {"Content-Type": "application/json"},
                allow_redirects=False,
                proxy=self._proxy(url),
                trace_request_ctx=on_begin,
            ) as response:
                yield _Response(response)
        except aiohttp.ClientResponseError:
            # Its words hold the URL, and that holds the access token.
            raise aiohttp.ClientPayloadError("the response is not one of HTTP") from None

    async def close(self) -> None:
        """Close all connections."""
        if self._session is not None:
            await self._session.close()

    async def __aenter__(self) -> Self:
        """Do nothing: the first call connects."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close all connections."""
        await self.close()

    def _proxy(self, url: URL) -> str | None:
        """Return the proxy for a URL, from HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY."""
        proxy = self._proxies.get(url.scheme) or self._proxies.get("all")
        if not proxy or proxy_bypass(url.host or ""):
            return None
        return proxy if "://" in proxy else f"http://{proxy}"

    def _opened(self) -> aiohttp.ClientSession:
        # A session belongs to the event loop that runs when it is made.
        if self._session is None:
            connector = aiohttp.TCPConnector(
                limit=self._calls, keepalive_timeout=IDLE_SECONDS, ssl=_tls_context()
            )
            self._session = aiohttp.ClientSession(
                connector=connector,
                cookie_jar=aiohttp.DummyCookieJar(),
                headers=HEADERS,
                auto_decompress=False,
                timeout=aiohttp.ClientTimeout(total=None),
                trace_configs=[_tracing_begin()],
            )
        return self._session


class _Response:
    """A response of aiohttp."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response

    @property
    def status(self) -> int:
        return self._response.status

    @property
    def headers(self) -> Mapping[str, str]:
        return self._response.headers

    async def read(self, most: int) -> bytes:
        content = bytearray()
        async for chunk in self._response.content.iter_any():
            content += chunk
            if len(content) > most:
                break
        return bytes(content)


def _tracing_begin() -> aiohttp.TraceConfig:
    """Return what calls `on_begin` of a request once it has its connection."""

    async def begin(_: aiohttp.ClientSession, context: SimpleNamespace, __: Any) -> None:  # noqa: ANN401 - aiohttp's own
        context.trace_request_ctx()

    config = aiohttp.TraceConfig()
    config.on_connection_create_end.append(begin)
    config.on_connection_reuseconn.append(begin)
    return config


@lru_cache(MAX_URLS)
def _url(address: str, query: tuple[tuple[str, str], ...]) -> URL:
    """Return a URL that is called again and again: the query of JSON is an access token alone."""
    return URL(address).with_query(query)


def _form(upload: Upload) -> aiohttp.FormData:
    form = aiohttp.FormData()
    form.add_field(
        upload.field,
        BytesIO(upload.content),
        filename=upload.filename,
        content_type=mimetypes.guess_type(upload.filename)[0],
    )
    return form


@cache
def _tls_context() -> ssl.SSLContext:
    # To read the certificate authorities takes long, so it is done once.
    return httpx.create_ssl_context()
