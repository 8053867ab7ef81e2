"""Calls WeChat's API: sends raw UTF-8 JSON, and returns a dict or raises ApiError."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPMethod, HTTPStatus
from typing import Any, TypeVar
from urllib.parse import urlsplit

import aiohttp
import orjson

from app import metrics
from app.clock import DIFFERENCES, machine_now
from app.wechat.client import ApiClient, Client, Request, Response, Upload
from app.wechat.connection_failure import describe_failure
from app.wechat.errors import ApiError, TransportError
from app.wechat.media_format import ending_of
from app.wechat.read_response import read_response, unreadable_response

# A page of 10,000 followers has 300 KB; nothing else that is read is larger.
MAX_RESPONSE_BYTES = 4 * 1024 * 1024
PICTURES = frozenset({"png", "jpg"})

T = TypeVar("T")


class Transport:
    """Sends requests to one WeChat API host and turns its failures into ApiError.

    timeout: for the whole call, from waiting for a connection to the last byte of the response.
    client: is used and not closed; with None the object makes its own, and `close` closes it.
    In the methods, `promised` are members of which a success must have one.
    """

    def __init__(self, base_url: str, timeout: timedelta, client: Client | None = None) -> None:
        self._base_url = base_url.rstrip("/")
        self._timeout = timeout.total_seconds()
        self._owned = client is None
        self._client = client or ApiClient()

    async def get(
        self, path: str, query: Mapping[str, str], promised: Sequence[str]
    ) -> dict[str, Any]:
        """GET and return the response. Raises ApiError or its subclass TransportError."""
        return await self._call(Request(HTTPMethod.GET, self._base_url + path, query), promised)

    async def post(
        self, path: str, query: Mapping[str, str], body: object, promised: Sequence[str] = ()
    ) -> dict[str, Any]:
        """POST JSON and return the response. Raises ApiError or its subclass TransportError."""
        return await self._call(self._json(path, query, body), promised)

    async def post_for_picture(self, path: str, query: Mapping[str, str], body: object) -> bytes:
        """POST JSON and return the picture of the response. Raises ApiError or TransportError.

        WeChat answers with the bytes alone, or with JSON that says why there are none; both with
        HTTP 200. Source: linkage 5.5.
        """
        return await self._counted(self._json(path, query, body), _picture)

    async def upload(
        self,
        path: str,
        query: Mapping[str, str],
        filename: str,
        content: bytes,
        promised: Sequence[str],
    ) -> dict[str, Any]:
        """POST a file as the form field `media`. Raises ApiError or its subclass TransportError."""
        upload = Upload("media", filename, content)
        return await self._call(
            Request(HTTPMethod.POST, self._base_url + path, query, upload=upload), promised
        )

    async def close(self) -> None:
        """Close the connections, unless the caller gave the client."""
        if self._owned:
            await self._client.close()

    def _json(self, path: str, query: Mapping[str, str], body: object) -> Request:
        # orjson writes raw UTF-8: WeChat refuses `\u` escapes, or shows them as they are.
        return Request(HTTPMethod.POST, self._base_url + path, query, orjson.dumps(body))

    async def _call(self, request: Request, promised: Sequence[str]) -> dict[str, Any]:
        def read(status: int, content: bytes, location: str | None) -> dict[str, Any]:
            return read_response(status, content, promised=promised, location=location)

        return await self._counted(request, read)

    async def _counted(self, request: Request, read: Callable[[int, bytes, str | None], T]) -> T:
        """Send a request and read its response; count a failure."""
        try:
            return read(*await self._send(request))
        except ApiError as error:
            code = "transport" if error.errcode is None else str(error.errcode)
            metrics.API_ERRORS.labels(code).inc()
            raise

    async def _send(self, request: Request) -> tuple[int, bytes, str | None]:
        """Return status, body and `Location` of the response. Raises TransportError."""
        # Whether any byte of the request may have reached WeChat: the type of the exception does
        # not say so, since the whole call can time out at any moment.
        begun = False

        def begin() -> None:
            nonlocal begun
            begun = True

        began = machine_now()
        try:
            async with asyncio.timeout(self._timeout), self._client.send(request, begin) as answer:
                _compare_clocks(answer.headers.get("date"), began, machine_now())
                # A redirect is an answer by itself, whatever page comes with it.
                is_redirect = HTTPStatus.MULTIPLE_CHOICES <= answer.status < HTTPStatus.BAD_REQUEST
                content = b"" if is_redirect else await _content(answer)
                return answer.status, content, answer.headers.get("location")
        except (aiohttp.ClientError, OSError, UnicodeError) as error:
            host = urlsplit(self._base_url).hostname or ""
            what = describe_failure(error, host, begun=begun)
            raise TransportError(what, outcome_unknown=begun) from error


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


async def _content(response: Response) -> bytes:
    """Return the body. Raises TransportError if it is encoded or too large."""
    # A few bytes may decode to more than the memory holds, whoever stands between WeChat and here.
    if response.headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise unreadable_response(response.status)
    content = await response.read(MAX_RESPONSE_BYTES)
    if len(content) > MAX_RESPONSE_BYTES:
        raise unreadable_response(response.status)
    return content


def _picture(status: int, content: bytes, location: str | None) -> bytes:
    if status == HTTPStatus.OK and ending_of(content) in PICTURES:
        return content
    read_response(status, content, location=location)
    raise unreadable_response(status)  # a success without a picture is none
