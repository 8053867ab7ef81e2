"""Calls WeChat's API: sends raw UTF-8 JSON, and returns a dict or raises ApiError."""

import asyncio
import logging
import ssl
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import cache, lru_cache
from http import HTTPStatus
from typing import Any, TypeVar

import httpx
import orjson

from app import metrics
from app.clock import DIFFERENCES, machine_now
from app.wechat.connection_failure import describe_failure
from app.wechat.errors import ApiError, TransportError
from app.wechat.media_format import ending_of
from app.wechat.read_response import read_response, unreadable_response

# A page of 10,000 followers has 300 KB; nothing else that is read is larger.
MAX_RESPONSE_BYTES = 4 * 1024 * 1024
PICTURES = frozenset({"png", "jpg"})
MAX_URLS = 256

T = TypeVar("T")


class Transport:
    """Sends requests to one WeChat API host and turns its failures into ApiError.

    timeout: for the whole call, from waiting for a connection to the last byte of the response;
    the TCP and the TLS handshake may each take half of it.
    client: is used and not closed; with None the object makes its own, and `close` closes it.
    In the methods, `promised` are members of which a success must have one.
    """

    def __init__(
        self, base_url: str, timeout: timedelta, client: httpx.AsyncClient | None = None
    ) -> None:
        self._base_url = base_url.rstrip("/")
        self._timeout = timeout.total_seconds()
        self._owned = client is None
        self._client = client or httpx.AsyncClient(verify=_tls_context())
        logging.getLogger("httpx").addFilter(_is_warning)

    async def get(
        self, path: str, query: Mapping[str, str], promised: Sequence[str]
    ) -> dict[str, Any]:
        """GET and return the response. Raises ApiError or its subclass TransportError."""
        return await self._call(
            self._client.build_request("GET", self._base_url + path, params=query), promised
        )

    async def post(
        self, path: str, query: Mapping[str, str], body: object, promised: Sequence[str] = ()
    ) -> dict[str, Any]:
        """POST JSON and return the response. Raises ApiError or its subclass TransportError."""
        return await self._call(
            self._client.build_request(
                "POST",
                _url(self._base_url + path, tuple(query.items())),
                # orjson writes raw UTF-8: WeChat refuses `\u` escapes, or shows them as they are.
                content=orjson.dumps(body),
                headers={"Content-Type": "application/json"},
            ),
            promised,
        )

    async def post_for_picture(self, path: str, query: Mapping[str, str], body: object) -> bytes:
        """POST JSON and return the picture of the response. Raises ApiError or TransportError.

        WeChat answers with the bytes alone, or with JSON that says why there are none; both with
        HTTP 200. Source: linkage 5.5.
        """
        request = self._client.build_request(
            "POST",
            _url(self._base_url + path, tuple(query.items())),
            content=orjson.dumps(body),
            headers={"Content-Type": "application/json"},
        )
        return await self._counted(request, _picture)

    async def upload(
        self,
        path: str,
        query: Mapping[str, str],
        filename: str,
        content: bytes,
        promised: Sequence[str],
    ) -> dict[str, Any]:
        """POST a file as the form field `media`. Raises ApiError or its subclass TransportError."""
        return await self._call(
            self._client.build_request(
                "POST", self._base_url + path, params=query, files={"media": (filename, content)}
            ),
            promised,
        )

    async def close(self) -> None:
        """Close the connections, unless the caller gave the client."""
        if self._owned:
            await self._client.aclose()

    async def _call(self, request: httpx.Request, promised: Sequence[str]) -> dict[str, Any]:
        def read(status: int, content: bytes, location: str | None) -> dict[str, Any]:
            return read_response(status, content, promised=promised, location=location)

        return await self._counted(request, read)

    async def _counted(
        self, request: httpx.Request, read: Callable[[int, bytes, str | None], T]
    ) -> T:
        """Send a request and read its response; count a failure."""
        try:
            return read(*await self._send(request))
        except ApiError as error:
            code = "transport" if error.errcode is None else str(error.errcode)
            metrics.API_ERRORS.labels(code).inc()
            raise

    async def _send(self, request: httpx.Request) -> tuple[int, bytes, str | None]:
        """Return status, body and `Location` of the response. Raises TransportError."""
        progress = _Progress()
        # The time limit of httpx starts again with each read, so a slow response could take for
        # ever: asyncio limits the whole call. Connecting keeps the limit of httpx, which closes the
        # socket of a TLS handshake that hangs; a cancelled handshake would leave it open.
        request.headers["Accept-Encoding"] = "identity"
        request.extensions = {
            "timeout": httpx.Timeout(None, connect=self._timeout / 2).as_dict(),
            "trace": progress.trace,
        }
        began = machine_now()
        try:
            async with asyncio.timeout(self._timeout):
                response = await self._client.send(request, stream=True, follow_redirects=False)
                _compare_clocks(response.headers.get("date"), began, machine_now())
                try:
                    location = response.headers.get("location")
                    # A redirect is an answer by itself, whatever page comes with it.
                    content = b"" if response.is_redirect else await _content(response)
                    return response.status_code, content, location
                finally:
                    await response.aclose()
        except (httpx.RequestError, TimeoutError) as error:
            what = describe_failure(error, request.url.host, begun=progress.request_begun)
            raise TransportError(what, outcome_unknown=progress.request_begun) from error


@lru_cache(MAX_URLS)
def _url(address: str, query: tuple[tuple[str, str], ...]) -> httpx.URL:
    """Return a URL that is called again and again: the query of JSON is an access token alone.

    httpx looks at each character of it, twice, which takes a tenth of the CPU of a call.
    """
    return httpx.URL(address, params=query)


@cache
def _tls_context() -> ssl.SSLContext:
    # To read the certificate authorities takes long, so it is done once.
    return httpx.create_ssl_context()


def clock_difference(date: str | None, began: datetime, ended: datetime) -> float | None:
    """Return how far this machine's clock is ahead of the `Date` of a response, in seconds.

    0 if the response may have been written between `began` and `ended`; None if `Date` is no time.
    """
    try:
        written = parsedate_to_datetime(date or "")
        earliest, latest = written, written + timedelta(seconds=1)
        if began > latest:
            return (began - latest).total_seconds()
        return min((ended - earliest).total_seconds(), 0.0)
    except (ValueError, TypeError, OverflowError):  # a naive time can't be compared, either
        return None


def _compare_clocks(date: str | None, began: datetime, ended: datetime) -> None:
    ahead = clock_difference(date, began, ended)
    if ahead is not None:
        DIFFERENCES.record("wechat", ahead)
        metrics.CLOCK_DIFFERENCE.labels("wechat").set(ahead)


async def _content(response: httpx.Response) -> bytes:
    """Return the body. Raises TransportError if it is encoded or too large."""
    # A few bytes may decode to more than the memory holds, whoever stands between WeChat and here.
    if response.headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise unreadable_response(response.status_code)
    content = bytearray()
    async for chunk in response.aiter_bytes():
        content += chunk
        if len(content) > MAX_RESPONSE_BYTES:
            raise unreadable_response(response.status_code)
    return bytes(content)


def _picture(status: int, content: bytes, location: str | None) -> bytes:
    if status == HTTPStatus.OK and ending_of(content) in PICTURES:
        return content
    read_response(status, content, location=location)
    raise unreadable_response(status)  # a success without a picture is none


class _Progress:
    """Records whether any byte of a request may have reached WeChat.

    The type of the exception does not say so: the whole call can time out at any moment.
    """

    def __init__(self) -> None:
        self.request_begun = False

    async def trace(self, event: str, _: object) -> None:
        if event.endswith(".send_request_headers.started"):
            self.request_begun = True


def _is_warning(record: logging.LogRecord) -> bool:
    # Below warnings httpx logs URLs, and they hold the access_token.
    return record.levelno >= logging.WARNING
