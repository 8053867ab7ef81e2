"""uvicorn's HTTP protocol with limits on what arrives before the application sees a request.

uvicorn itself bounds neither the head of a request nor the time that it takes, and keeps every
connection that anybody opens.
"""

import asyncio
from collections.abc import Callable, Iterable
from functools import partial
from http import HTTPStatus
from typing import Any, Final

import httptools
import structlog
from uvicorn.config import Config
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from app import metrics
from app.callback.response import WHOLE_RESPONSE
from app.log_limit import LogLimit

log = structlog.get_logger(__name__)

MAX_HEADERS: Final = 100
MAX_HEAD_BYTES: Final = 32 * 1024
MAX_URL_BYTES: Final = 8 * 1024
# What may arrive of a head that is not complete: URL, headers, and what separates them.
MAX_UNFINISHED_BYTES: Final = MAX_HEAD_BYTES + MAX_URL_BYTES + 1024
HEAD_SECONDS: Final = 10.0
GRACE_SECONDS: Final = 0.5
# A client that got its answer before it sent its whole body may send the rest for this long, and so
# much of it. Most clients read no answer before they have sent everything, so this is more than the
# largest body of any route: a file that is somewhat too large gets its answer.
REST_OF_BODY_SECONDS: Final = 5.0
MAX_REST_BYTES: Final = 128 * 1024 * 1024
# A client that reads nothing of its answer for this long is cut off.
STALLED_SECONDS: Final = 60.0
MAX_PIPELINED: Final = 8
# A connection that has waited this long for its request gives its place to a new one.
STEADY_SECONDS: Final = 0.5

# The key in the state of a request whose answer has no end of its own, as a stream of events.
ENDLESS: Final = "endless"

_log_limit = LogLimit()
# All connections that wait for a whole head, the longest-waiting first, with the time since when.
_waiting: dict["BoundedProtocol", float] = {}


class Refused(Exception):
    """The request breaks a limit. The parser turns it into an error of its own."""


class _AnsweringTransport:
    """The transport of a connection for its requests, which close it by way of `close`."""

    __slots__ = ("close", "is_closing", "write")

    def __init__(self, transport: asyncio.Transport, close: Callable[[], None]) -> None:
        self.write = transport.write
        self.is_closing = transport.is_closing
        self.close = close


class BoundedProtocol(HttpToolsProtocol):
    """One connection. limit_concurrency of the configuration: how many there may be."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.access_log = config.access_log  # whatever handlers somebody gave the logger
        self._max_connections = config.limit_concurrency
        # uvicorn would read the request first, and keep the connection.
        self.limit_concurrency = None
        # Bytes since the last head was complete, or since the last piece of a body: an unfinished
        # head, trailers, the extension of a chunk.
        self._unreported = 0
        self._status_and_defaults = _status_and(server_state.default_headers)
        self._refusal: tuple[str, HTTPStatus] | None = None
        self._head_timer: asyncio.TimerHandle | None = None
        self._rest_timer: asyncio.TimerHandle | None = None
        self._stalled_timer: asyncio.TimerHandle | None = None
        # Of a body whose request is answered: how much has arrived, and whether its end closes.
        self._rest_bytes = 0
        self._closes_after_body = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's
        """Take a connection, or turn it away if there are too many."""
        super().connection_made(transport)
        self._answering = _AnsweringTransport(transport, self._close_after_answer)
        if self._max_connections is not None and len(self.connections) > self._max_connections:
            self._make_room()
        if not transport.is_closing():
            self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget a connection."""
        super().connection_lost(exc)
        _waiting.pop(self, None)
        for timer in (self._head_timer, self._rest_timer, self._stalled_timer):
            if timer is not None:
                timer.cancel()

    def data_received(self, data: bytes) -> None:
        """Parse what has arrived."""
        self._unset_keepalive_if_required()
        self._unreported += len(data)
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            pass  # there is nothing to upgrade to, so it is an ordinary request
        except httptools.HttpParserError:
            self._turn_away(*(self._refusal or ("not_http", HTTPStatus.BAD_REQUEST)))
            return
        if self._unreported > MAX_UNFINISHED_BYTES:
            self._turn_away("large_head", HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
        elif self._head_timer is None and self in _waiting:
            self._start_head_timer()

    def on_url(self, url: bytes) -> None:
        """Take a part of the URL. Raises Refused."""
        self.url += url
        if len(self.url) > MAX_URL_BYTES:
            self._refuse("long_url", HTTPStatus.REQUEST_URI_TOO_LONG)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take one header, or one trailer of a body in chunks. Raises Refused."""
        if len(self.headers) >= MAX_HEADERS:
            self._refuse("many_headers", HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
        # As uvicorn does; calling it would cost more than this, for each header of a push.
        name = name.lower()
        if name == b"expect" and value.lower() == b"100-continue":
            self.expect_100_continue = True
        self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        """Start the request. Raises Refused."""
        if self._unreported > MAX_HEAD_BYTES and self._head_bytes() > MAX_HEAD_BYTES:
            self._refuse("large_head", HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
        self._unreported = 0
        _waiting.pop(self, None)
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None
        if self._closes_after_body or len(self.pipeline) >= MAX_PIPELINED:
            self._refuse("pipelined", HTTPStatus.BAD_REQUEST)
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Take a part of the body, as uvicorn does without WebSockets."""
        self._unreported = 0
        cycle = self.cycle
        if cycle.response_complete:
            self._rest_bytes += len(body)
            if self._rest_bytes > MAX_REST_BYTES and not self.transport.is_closing():
                self._turn_away("large_rest", None)
            return
        cycle.body += body
        if len(cycle.body) > HIGH_WATER_LIMIT:
            self.flow.pause_reading()
        cycle.message_event.set()

    def on_message_complete(self) -> None:
        """End the request; another one may follow on this connection."""
        if not self.cycle.response_complete:
            self.cycle.more_body = False
            self.cycle.message_event.set()
        if self._rest_timer is not None:  # uvicorn would leave the connection open for ever
            self._rest_timer.cancel()
            self._rest_timer = None
            self._rest_bytes = 0
            if self._closes_after_body:
                self.transport.close()
                return
            self.timeout_keep_alive_task = self.loop.call_later(
                self.timeout_keep_alive, self.timeout_keep_alive_handler
            )
            _waiting[self] = self.loop.time()

    def shutdown(self) -> None:
        """End with the server: after the answer, or at once if that has no end of its own."""
        if self.cycle is not None and self.cycle.scope.get("state", {}).get(ENDLESS):
            self.transport.close()
        else:
            super().shutdown()

    def on_response_complete(self) -> None:
        """Go on after an answer."""
        body_is_unread = self.cycle.more_body and not self.pipeline
        super().on_response_complete()
        if self.transport.is_closing():
            self._cut_off_later()
        elif body_is_unread:
            self._unset_keepalive_if_required()
            self._rest_timer = self.loop.call_later(
                REST_OF_BODY_SECONDS, self._turn_away, "slow_body", None
            )
        elif self.cycle.response_complete:
            _waiting[self] = self.loop.time()

    def pause_writing(self) -> None:
        """Give the client time to read its answer."""
        super().pause_writing()
        self._cut_off_later()

    def resume_writing(self) -> None:
        """Go on writing."""
        super().resume_writing()
        if self._stalled_timer is not None and not self.transport.is_closing():
            self._stalled_timer.cancel()
            self._stalled_timer = None

    def timeout_keep_alive_handler(self) -> None:
        """Close an idle connection. What the client has not read by then it never reads."""
        super().timeout_keep_alive_handler()
        self._cut_off_later()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:  # noqa: ANN401 - as uvicorn's
        """Let the application answer in one piece, which takes a third of the time."""
        write_whole = partial(_write_whole, cycle, self._status_and_defaults)
        cycle.scope["extensions"] = {WHOLE_RESPONSE: write_whole}  # type: ignore[dict-item]  # uvicorn knows dictionaries alone
        cycle.transport = self._answering  # type: ignore[assignment]  # all of it that a request uses
        super()._start_asgi_task(cycle, app)

    def _close_after_answer(self) -> None:
        """Close the connection of a request, but read and drop the rest of its body first.

        The system resets a connection that is closed with something unread, and then the client
        sees an error instead of its answer.
        """
        cycle = self.cycle
        if not (cycle.response_complete and cycle.more_body) or self.pipeline:
            self.transport.close()
            return
        self._closes_after_body = True
        if self.transport.can_write_eof():  # not so with TLS
            self.transport.write_eof()

    def _head_bytes(self) -> int:
        return sum(len(name) + len(value) for name, value in self.headers)

    def _await_head(self) -> None:
        _waiting[self] = self.loop.time()
        self._start_head_timer()

    def _start_head_timer(self) -> None:
        self._head_timer = self.loop.call_later(HEAD_SECONDS, self._head_is_late)

    def _head_is_late(self) -> None:
        # After a process was held up, timers come before what has arrived meanwhile. That is read
        # first, or honest requests would be turned away.
        self._head_timer = self.loop.call_later(
            GRACE_SECONDS, self._turn_away, "slow_head", HTTPStatus.REQUEST_TIMEOUT
        )

    def _cut_off_later(self) -> None:
        if self._stalled_timer is None:
            self._stalled_timer = self.loop.call_later(STALLED_SECONDS, self.transport.abort)

    def _make_room(self) -> None:
        """Close the connection that has waited longest for its request, or else this new one.

        Half-sent requests then never keep a whole one out.
        """
        steady = self.loop.time() - STEADY_SECONDS
        for oldest, since in _waiting.items():
            if since < steady and oldest.connections is self.connections:
                oldest._turn_away("too_many", None)
                return
            break
        self._turn_away("too_many", HTTPStatus.SERVICE_UNAVAILABLE)

    def _refuse(self, reason: str, status: HTTPStatus) -> None:
        self._refusal = (reason, status)
        raise Refused

    def _turn_away(self, reason: str, status: HTTPStatus | None) -> None:
        """Close the connection, with an answer if status is given and no other one is under way."""
        _waiting.pop(self, None)
        # Connections that are being closed no longer count, or one too many would close several.
        self.connections.discard(self)
        metrics.CONNECTIONS_TURNED_AWAY.labels(reason).inc()
        if (count := _log_limit.take()) is not None:
            address = self.client[0] if self.client else ""
            log.warning("connections.turned_away", reason=reason, address=address, count=count)
        unanswered = self.cycle is None or self.cycle.response_complete
        if status is not None and unanswered and not self._closes_after_body:
            self.transport.write(_answer(status))
            self.transport.close()
            self._cut_off_later()
        else:
            self.transport.abort()


def _status_and(headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Return how a response with status 200 begins. headers: those that all responses have."""
    lines = (b"%b: %b\r\n" % header for header in headers)
    return b"HTTP/1.1 200 OK\r\n" + b"".join(lines)


def _write_whole(cycle: RequestResponseCycle, start: bytes, rest: bytes) -> bool:
    """Write a response; return whether it could be done without uvicorn.

    start: of `_status_and`. rest: further headers, an empty line and the body.
    """
    if (
        cycle.response_started
        or cycle.disconnected
        or cycle.flow.write_paused
        or not cycle.keep_alive
        or cycle.access_log
    ):
        return False
    cycle.response_started = cycle.response_complete = True
    cycle.waiting_for_100_continue = False
    cycle.transport.write(start + rest)
    cycle.message_event.set()
    cycle.on_response()
    return True


def _answer(status: HTTPStatus) -> bytes:
    body = status.phrase.lower().encode()
    return (
        f"HTTP/1.1 {status.value} {status.phrase}\r\n"
        "content-type: text/plain; charset=utf-8\r\n"
        "x-content-type-options: nosniff\r\n"
        f"content-length: {len(body)}\r\n"
        "connection: close\r\n\r\n"
    ).encode() + body
