"""The HTTP client of calls to WeChat's API, which makes many of them at the same time."""

import select
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import cache, lru_cache
from http import HTTPMethod
from io import BytesIO
from typing import Final, Protocol, Self, cast
from urllib.request import getproxies, proxy_bypass
from weakref import WeakSet

import aiohttp
import httpx
from aiohttp.client_proto import ResponseHandler
from aiohttp.connector import Connection
from yarl import URL

from app.value_class import value_class

# Some gateways close a connection that was idle for five seconds, and so would a call that begins
# at that moment be cut off: nobody knows then whether WeChat has got the message.
IDLE_SECONDS: Final = 3.0
# Calls at once of a process that has no other number in mind.
CALLS: Final = 100
MAX_URLS: Final = 256
# Of one header. The limit of aiohttp is 8 KB, and an answer whose header is longer would be lost.
MAX_HEADER_BYTES: Final = 64 * 1024
JSON: Final = "application/json"
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


class ProxyError(aiohttp.ClientConnectionError):
    """A proxy makes no connection to the host. The text says what it does, without its password."""


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
    is closed. The proxies of the environment are used. Raises OSError if the certificate
    authorities that SSL_CERT_FILE names can't be read.
    """

    def __init__(self, calls: int = CALLS) -> None:
        self._calls = calls
        self._proxies = getproxies()
        # Here, and not at the first call, which would hold up all that the process does meanwhile.
        self._tls = _tls_context()
        self._session: aiohttp.ClientSession | None = None
        # Connections that have served a call.
        self._used: WeakSet[ResponseHandler] = WeakSet()

    @asynccontextmanager
    async def send(
        self, request: Request, on_begin: Callable[[], None]
    ) -> AsyncIterator["_Response"]:
        """Send a request, as `Client` says."""
        url = _url(request.address, tuple(request.query.items()))
        body, kind = _form(request.upload) if request.upload else (request.body, JSON)
        async with self._opened().request(
            request.method,
            url,
            data=body,
            headers=None if body is None else {"Content-Type": kind},
            allow_redirects=False,
            proxy=self._proxy(url),
            middlewares=(_Sender(on_begin, self._used),),
        ) as response:
            yield _Response(response)

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

    def _proxy(self, url: URL) -> URL | None:
        """Return the proxy for a URL, from HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY.

        Raises ProxyError if it is none that aiohttp speaks with, as one of SOCKS.
        """
        proxy = self._proxies.get(url.scheme) or self._proxies.get("all")
        if not proxy or proxy_bypass(url.host or "") or proxy_bypass(f"{url.host}:{url.port}"):
            return None
        found = _proxy_url(proxy if "://" in proxy else f"http://{proxy}")
        if found is None:
            raise ProxyError("is not one of HTTP")
        return found

    def _opened(self) -> aiohttp.ClientSession:
        # A session belongs to the event loop that runs when it is made.
        if self._session is None:
            connector = aiohttp.TCPConnector(
                limit=self._calls, keepalive_timeout=IDLE_SECONDS, ssl=self._tls
            )
            self._session = aiohttp.ClientSession(
                connector=connector,
                cookie_jar=aiohttp.DummyCookieJar(),
                headers=HEADERS,
                auto_decompress=False,
                max_field_size=MAX_HEADER_BYTES,
                timeout=aiohttp.ClientTimeout(total=None),
                request_class=_SentRequest,
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


class _UsedUp(Exception):
    """A connection has ended, or has bytes that no request asked for."""


class _SentRequest(aiohttp.ClientRequest):
    """A request that asks whether a connection will do. on_connection: raises _UsedUp if not."""

    on_connection: Callable[[Connection], None]

    async def send(self, conn: Connection) -> aiohttp.ClientResponse:
        """Send the request, as aiohttp does."""
        self.on_connection(conn)
        return await super().send(conn)


class _Sender:
    """Sends one request once. It stands between aiohttp's session and its connections.

    on_begin: as `Client.send` says. used: connections that have served a call.
    """

    def __init__(self, on_begin: Callable[[], None], used: WeakSet[ResponseHandler]) -> None:
        self._on_begin = on_begin
        self._used = used

    async def __call__(
        self, request: aiohttp.ClientRequest, send: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        """Send the request. Raises aiohttp.ClientError without the URL, which holds the token."""
        cast("_SentRequest", request).on_connection = self._take
        failure: aiohttp.ClientError
        while True:
            try:
                return await send(request)
            except _UsedUp:
                continue
            except aiohttp.ClientConnectorError:
                raise
            except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
                # After these aiohttp sends a GET again, although WeChat may have carried it out.
                raise aiohttp.ClientConnectionError("the connection broke") from error
            except aiohttp.ClientHttpProxyError as error:
                failure = ProxyError(f"answers HTTP {error.status}")
            except aiohttp.ClientResponseError:
                failure = aiohttp.ClientPayloadError("the response is not one of HTTP")
            # Here, so that the error with the URL is no context of it.
            raise failure

    def _take(self, connection: Connection) -> None:
        """Begin to send over a connection. Raises _UsedUp, before any byte has left."""
        protocol = connection.protocol
        # What came unasked would be taken for the answer to this request.
        if protocol is None or (
            protocol in self._used and (protocol.should_close or _has_input(connection))
        ):
            raise _UsedUp
        self._used.add(protocol)
        self._on_begin()


def _has_input(connection: Connection) -> bool:
    """Tell whether bytes, or the end of the connection, wait for the event loop to read them."""
    if connection.transport is None:
        return True
    poll = select.poll()
    poll.register(connection.transport.get_extra_info("socket"), select.POLLIN)
    return bool(poll.poll(0))


def _proxy_url(address: str) -> URL | None:
    try:
        url = URL(address)
    except ValueError:  # it quotes the address, which may hold a password
        return None
    return url if url.scheme in {"http", "https"} and url.host else None


@lru_cache(MAX_URLS)
def _url(address: str, query: tuple[tuple[str, str], ...]) -> URL:
    """Return a URL that is called again and again: the query of JSON is an access token alone."""
    return URL(address).with_query(query)


def _form(upload: Upload) -> tuple[BytesIO, str]:
    """Return the body of a form and its type.

    httpx writes it: aiohttp would tell the type of a file before its name. WeChat finds no file in
    some forms (41005), and the clients that it is known to understand put the name first.
    """
    file = (upload.filename, upload.content)
    form = httpx.Request(HTTPMethod.POST, "https://form.invalid", files={upload.field: file})
    return BytesIO(form.read()), form.headers["Content-Type"]


@cache
def _tls_context() -> ssl.SSLContext:
    # To read the certificate authorities takes long, so it is done once.
    return httpx.create_ssl_context()
