"""Lists that grow while operators look at them: one query a second feeds all that are open.

A route answers with `live_response`, and its page has `ui.live(...)`. No connection to the database
is held for a browser. A stream ends by itself after a while, and within seconds when its session
ends; the browser opens it again, and shows with that that its session is still valid. It then names
the last event that it got, and gets first what came meanwhile.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from typing import Final, Generic, TypeVar

import structlog
from fastapi import HTTPException, Request
from fastapi.responses import StreamingResponse
from sqlalchemy.exc import SQLAlchemyError

from app import tracing
from app.access.sessions import SignedIn
from app.console.open_sessions import OpenSessions
from app.db.engine import UNAVAILABLE_ERRORS
from app.ops.http_protocol import ENDLESS

MAX_OPEN: Final = 200
MAX_WAITING: Final = 20
POLL_SECONDS: Final = 1.0
LOOK_SECONDS: Final = 1.0
COMMENT_SECONDS: Final = 15.0
STREAM_SECONDS: Final = 300.0
MEDIA_TYPE: Final = "text/event-stream"

Row = TypeVar("Row")

log = structlog.get_logger(__name__)


class Batch(Generic[Row]):
    """The rows of one poll, and the events that are made of them, each once for all who see it.

    id: of its events; empty: they have none.
    """

    def __init__(self, rows: Sequence[Row], id: str = "") -> None:
        self.rows = rows
        self._id = id
        self._events: dict[Hashable, str] = {}

    def event(self, view: Hashable, write: Callable[[Sequence[Row]], str]) -> str:
        """Return the event for a view, empty if it shows none of the rows."""
        if view not in self._events:
            text = write(self.rows)
            self._events[view] = _event(text, self._id) if text else ""
        return self._events[view]


class LiveList(Generic[Row]):
    """The new rows of one list, for all who look at it in this process.

    poll: returns the rows that have come since it was called last, the newest first; it opens and
    closes its own transaction. It is called while somebody looks, and not otherwise. start: is
    called before, when the first one comes. id_of: returns what a browser names as the last row
    that it got.
    """

    def __init__(
        self,
        start: Callable[[], Awaitable[None]],
        poll: Callable[[], Awaitable[Sequence[Row]]],
        *,
        id_of: Callable[[Row], str] = lambda _row: "",
        poll_seconds: float = POLL_SECONDS,
    ) -> None:
        self._start = start
        self._poll = poll
        self._id_of = id_of
        self._poll_seconds = poll_seconds
        self._open: set[asyncio.Queue[Batch[Row]]] = set()
        self._polling: asyncio.Task[None] | None = None
        self._started = asyncio.Event()

    @property
    def count(self) -> int:
        """How many look at the list."""
        return len(self._open)

    @contextmanager
    def looking(self) -> Iterator["asyncio.Queue[Batch[Row]]"]:
        """Look at the list: the queue gets the rows of each poll that finds any.

        Whoever reads too slowly misses rows: the oldest batches are dropped.
        """
        queue: asyncio.Queue[Batch[Row]] = asyncio.Queue(MAX_WAITING)
        self._open.add(queue)
        if self._polling is None:
            loop = asyncio.get_running_loop()
            self._polling = loop.create_task(self._run(), context=tracing.no_context())
        try:
            yield queue
        finally:
            self._open.discard(queue)
            if not self._open and self._polling is not None:
                self._polling.cancel()
                self._polling = None
                self._started.clear()

    async def has_started(self) -> None:
        """Return once the polls find whatever comes from now on. Only while somebody looks."""
        await self._started.wait()

    def batch(self, rows: Sequence[Row]) -> Batch[Row]:
        """Return rows as a batch; the newest names its events."""
        return Batch(rows, self._id_of(rows[0]) if rows else "")

    async def _run(self) -> None:
        while True:
            try:
                if not self._started.is_set():
                    await self._start()
                    self._started.set()
                self._hand_out(await self._poll())
            except (*UNAVAILABLE_ERRORS, SQLAlchemyError) as error:
                log.warning("console.live_list_failed", error=type(error).__name__)
            await asyncio.sleep(self._poll_seconds)

    def _hand_out(self, rows: Sequence[Row]) -> None:
        if not rows:
            return
        batch = self.batch(rows)
        for queue in self._open:
            if queue.full():
                queue.get_nowait()
            queue.put_nowait(batch)


def live_response(
    request: Request,
    live_list: LiveList[Row],
    write: Callable[[Sequence[Row]], str],
    view: Hashable,
    missed: Callable[[], Awaitable[Sequence[Row]]] | None = None,
) -> StreamingResponse:
    """Return the stream of a list as server-sent events.

    write: returns the rows as `<tr>` elements, without those that the filters of this browser hide;
    an empty text sends nothing. view: equal for all browsers for which `write` returns the same,
    such as the language with the filters; `write` is called once for them all. missed: returns what
    has come since this browser last got anything, the newest first; some of it may come once more,
    and it knows its rows. It opens and closes its own transaction. Raises HTTPException 503 if
    MAX_OPEN look already.
    """
    if live_list.count >= MAX_OPEN:
        raise HTTPException(503)
    # The server ends it at once when it stops, and does not wait for the browser.
    request.scope.setdefault("state", {})[ENDLESS] = True
    return StreamingResponse(
        _events(request, live_list, write, view, missed),
        media_type=MEDIA_TYPE,
        headers={"X-Accel-Buffering": "no"},
    )


async def _events(
    request: Request,
    live_list: LiveList[Row],
    write: Callable[[Sequence[Row]], str],
    view: Hashable,
    missed: Callable[[], Awaitable[Sequence[Row]]] | None,
) -> AsyncIterator[str]:
    if live_list.count >= MAX_OPEN:  # others have begun since the route looked
        return
    seconds = asyncio.get_running_loop().time
    ends_at, comment_at = seconds() + STREAM_SECONDS, seconds()
    with live_list.looking() as queue, _session_of(request) as has_ended:
        if missed is not None:
            await live_list.has_started()  # so that nothing falls between the two
            if event := live_list.batch(await missed()).event(view, write):
                yield event
        while seconds() < ends_at and not await request.is_disconnected():
            if await has_ended():
                return
            if seconds() >= comment_at:  # so that no proxy closes the connection
                yield ": here\n\n"
                comment_at = seconds() + COMMENT_SECONDS
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_SECONDS):
                    batch = await queue.get()
                if event := batch.event(view, write):
                    yield event


@contextmanager
def _session_of(request: Request) -> Iterator[Callable[[], Awaitable[bool]]]:
    """Look after the session of a stream; yield what tells whether it has ended."""
    visitor: SignedIn | None = getattr(request.state, "visitor", None)
    if visitor is None:  # a page that anybody may see
        yield _never
        return
    open_sessions: OpenSessions = request.app.state.open_sessions
    with open_sessions.streaming(visitor.session_id):
        yield partial(open_sessions.has_ended, visitor.session_id)


async def _never() -> bool:
    return False


def _event(text: str, id: str) -> str:
    """Return the event `rows` with a text of any number of lines."""
    name = f"id: {id}\n" if id else ""
    lines = "".join(f"data: {line}\n" for line in text.splitlines())
    return f"event: rows\n{name}{lines}\n"
