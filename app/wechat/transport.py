"""One call to WeChat's API: out as raw UTF-8 JSON, back as a dict or as an ApiError."""

import asyncio
import json
import logging
import re
from collections.abc import Mapping
from datetime import timedelta
from http import HTTPStatus
from typing import Any

import httpx
import orjson

from app import metrics
from app.wechat.errors import ApiError, TransportError, action_for

RID = re.compile(r"\s*rid:\s*(\S+)\s*$")


class Transport:
    """Sends requests to one WeChat API host and reads its way of failing.

    timeout: for the whole call, from waiting for a connection to the last byte of the answer;
    half of it each for the TCP and the TLS handshake.
    client: the caller's, who also closes it; None: an own one, closed by `close`.
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
        """GET and return the answer. Raises ApiError, of which TransportError."""
        return await self._call(
            self._client.build_request("GET", self._base_url + path, params=query)
        )

    async def post(self, path: str, query: Mapping[str, str], body: object) -> dict[str, Any]:
        """POST a JSON body and return the answer. Raises ApiError, of which TransportError.

        WeChat shows or refuses `\\u` escapes, so the body is raw UTF-8.
        """
        return await self._call(
            self._client.build_request(
                "POST",
                self._base_url + path,
                params=query,
                content=orjson.dumps(body),
                headers={"Content-Type": "application/json"},
            )
        )

    async def upload(
        self, path: str, query: Mapping[str, str], filename: str, content: bytes
    ) -> dict[str, Any]:
        """POST a file as the form field `media`. Raises ApiError, of which TransportError."""
        return await self._call(
            self._client.build_request(
                "POST", self._base_url + path, params=query, files={"media": (filename, content)}
            )
        )

    async def close(self) -> None:
        """Close the connections, unless the client is the caller's."""
        if self._owned:
            await self._client.aclose()

    async def _call(self, request: httpx.Request) -> dict[str, Any]:
        try:
            response = await self._send(request)
            return read_answer(response.status_code, response.content)
        except ApiError as error:
            code = "transport" if error.errcode is None else str(error.errcode)
            metrics.API_ERRORS.labels(code).inc()
            raise

    async def _send(self, request: httpx.Request) -> httpx.Response:
        progress = _Progress()
        # httpx counts each read anew, so an answer could drip for ever: the limit of the whole
        # call is ours. Connecting keeps httpx's, which closes the socket of a TLS handshake that
        # never ends; being cancelled there it does not.
        request.extensions = {
            "timeout": httpx.Timeout(None, connect=self._timeout / 2).as_dict(),
            "trace": progress.trace,
        }
        try:
            async with asyncio.timeout(self._timeout):
                return await self._client.send(request)
        except (httpx.RequestError, TimeoutError) as error:
            raise TransportError(
                type(error).__name__, outcome_unknown=progress.request_begun
            ) from error


class _Progress:
    """Tells whether any byte of a request may have reached the other side.

    The exception's type does not: the time limit of the whole call can strike at any moment.
    """

    def __init__(self) -> None:
        self.request_begun = False

    async def trace(self, event: str, _: object) -> None:
        if event.endswith(".send_request_headers.started"):
            self.request_begun = True


def read_answer(status: int, content: bytes) -> dict[str, Any]:
    """Return what WeChat answered. Raises ApiError; a missing errcode means success.

    HTTP 504 is a gateway that stopped waiting: like our own time-out, it says nothing about the
    outcome; the other 5xx are refusals. Source: protocol, introduction and 11.
    """
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        unknown = status == HTTPStatus.GATEWAY_TIMEOUT
        raise TransportError(f"HTTP {status}", outcome_unknown=unknown)
    try:
        # Not strict: names that users chose may hold raw control characters.
        answer = json.loads(content.decode("utf-8", "replace"), strict=False)
        errcode = int(answer.get("errcode", 0))
    except (ValueError, TypeError, AttributeError) as error:
        raise unreadable(status) from error
    if errcode != 0:
        raise _api_error(errcode, str(answer.get("errmsg", "")))
    found: dict[str, Any] = answer
    return found


def unreadable(status: int = HTTPStatus.OK) -> TransportError:
    """Return the error for an answer that is not what WeChat's API answers.

    A success that can't be read may have done what was asked; an HTTP 4xx has not.
    """
    succeeded = status < HTTPStatus.BAD_REQUEST
    return TransportError(f"unreadable answer, HTTP {status}", outcome_unknown=succeeded)


def _api_error(errcode: int, errmsg: str) -> ApiError:
    rid = RID.search(errmsg)
    text = errmsg[: rid.start()] if rid else errmsg
    return ApiError(errcode, text, action_for(errcode), rid[1] if rid else None)


def _is_warning(record: logging.LogRecord) -> bool:
    """Keep only warnings: below that httpx logs URLs, and they hold the access_token."""
    return record.levelno >= logging.WARNING
