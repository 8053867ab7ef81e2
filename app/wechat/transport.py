"""Calls WeChat's API: sends raw UTF-8 JSON, and returns a dict or raises ApiError."""

import asyncio
import json
import logging
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any

import httpx
import orjson

from app import metrics
from app.clock import DIFFERENCES, machine_now
from app.wechat.errcodes import action_for
from app.wechat.errors import ApiError, TransportError

# A page of 10,000 followers has 300 KB; nothing else that is read is larger.
MAX_RESPONSE_BYTES = 4 * 1024 * 1024

RID = re.compile(r"\s*rid:\s*(\S+)\s*$")


class Transport:
    """Sends requests to one WeChat API host and turns its failures into ApiError.

    timeout: for the whole call, from waiting for a connection to the last byte of the response;
    the TCP and the TLS handshake may each take half of it.
    client: is used and not closed; with None the object makes its own, and `close` closes it.
    """

    def __init__(
        self, base_url: str, timeout: timedelta, client: httpx.AsyncClient | None = None
    ) -> None:
        self._base_url = base_url.rstrip("/")
        self._timeout = timeout.total_seconds()
        self._owned = client is None
        self._client = client or httpx.AsyncClient()
        logging.getLogger("httpx").addFilter(_is_warning)

    async def get(self, path: str, query: Mapping[str, str]) -> dict[str, Any]:
        """GET and return the response. Raises ApiError or its subclass TransportError."""
        return await self._call(
            self._client.build_request("GET", self._base_url + path, params=query)
        )

    async def post(self, path: str, query: Mapping[str, str], body: object) -> dict[str, Any]:
        """POST JSON and return the response. Raises ApiError or its subclass TransportError."""
        return await self._call(
            self._client.build_request(
                "POST",
                self._base_url + path,
                params=query,
                # orjson writes raw UTF-8: WeChat refuses `\u` escapes, or shows them as they are.
                content=orjson.dumps(body),
                headers={"Content-Type": "application/json"},
            )
        )

    async def upload(
        self, path: str, query: Mapping[str, str], filename: str, content: bytes
    ) -> dict[str, Any]:
        """POST a file as the form field `media`. Raises ApiError or its subclass TransportError."""
        return await self._call(
            self._client.build_request(
                "POST", self._base_url + path, params=query, files={"media": (filename, content)}
            )
        )

    async def close(self) -> None:
        """Close the connections, unless the caller gave the client."""
        if self._owned:
            await self._client.aclose()

    async def _call(self, request: httpx.Request) -> dict[str, Any]:
        try:
            return read_response(*await self._send(request))
        except ApiError as error:
            code = "transport" if error.errcode is None else str(error.errcode)
            metrics.API_ERRORS.labels(code).inc()
            raise

    async def _send(self, request: httpx.Request) -> tuple[int, bytes]:
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
                response = await self._client.send(request, stream=True)
                _compare_clocks(response.headers.get("date"), began, machine_now())
                try:
                    return response.status_code, await _content(response)
                finally:
                    await response.aclose()
        except (httpx.RequestError, TimeoutError) as error:
            raise TransportError(
                type(error).__name__, outcome_unknown=progress.request_begun
            ) from error


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


class _Progress:
    """Records whether any byte of a request may have reached WeChat.

    The type of the exception does not say so: the whole call can time out at any moment.
    """

    def __init__(self) -> None:
        self.request_begun = False

    async def trace(self, event: str, _: object) -> None:
        if event.endswith(".send_request_headers.started"):
            self.request_begun = True


def read_response(status: int, content: bytes) -> dict[str, Any]:
    """Return WeChat's response. Raises ApiError. A missing errcode means success.

    HTTP 504 comes from a gateway that stopped waiting, so the outcome is unknown, as after a
    time-out. Other 5xx mean that nothing was done. Source: protocol, introduction and 11.
    """
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        unknown = status == HTTPStatus.GATEWAY_TIMEOUT
        raise TransportError(f"HTTP {status}", outcome_unknown=unknown)
    try:
        # Not strict, since nicknames may hold raw control characters.
        response = json.loads(content.decode("utf-8", "replace"), strict=False)
        errcode = int(response.get("errcode", 0))
    except (ValueError, TypeError, AttributeError) as error:
        raise unreadable_response(status) from error
    if errcode != 0:
        raise _api_error(errcode, str(response.get("errmsg", "")))
    members: dict[str, Any] = response
    return members


def unreadable_response(status: int = HTTPStatus.OK) -> TransportError:
    """Return the error for a response that is not one of WeChat's API.

    After a success that can't be read the outcome is unknown; after an HTTP 4xx nothing was done.
    """
    succeeded = status < HTTPStatus.BAD_REQUEST
    return TransportError(f"unreadable answer, HTTP {status}", outcome_unknown=succeeded)


def _api_error(errcode: int, errmsg: str) -> ApiError:
    rid = RID.search(errmsg)
    text = errmsg[: rid.start()] if rid else errmsg
    return ApiError(errcode, text, action_for(errcode), rid[1] if rid else None)


def _is_warning(record: logging.LogRecord) -> bool:
    # Below warnings httpx logs URLs, and they hold the access_token.
    return record.levelno >= logging.WARNING
