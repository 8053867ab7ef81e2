"""Records who holds connections of a pool: nobody may hold two, or one during an HTTP call.

A task that waits for a second connection while it holds one needs only enough companions to wait
for ever: each holds what another one waits for. And a connection that is held while somebody else's
server is called is missing for as long as that server likes.
"""

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import httpx
from greenlet import getcurrent  # type: ignore[import-untyped]
from sqlalchemy import event
from sqlalchemy.pool import Pool


@dataclass
class Held:
    """What is held now, by a number for each time, and every fault that was found."""

    now: dict[int, object] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    def of_this_context(self) -> list[object]:
        """Return the pools of which this task, or one that began it, holds a connection now."""
        return [self.now[number] for number in _TAKEN.get() if number in self.now]

    def take(self, pool: object) -> int:
        """Note that this task has got a connection; return the number of this time."""
        if any(held is pool for held in self.of_this_context()):
            self.fault("a second pooled connection is taken while one is held")
        number = next(_NUMBERS)
        self.now[number] = pool
        _TAKEN.set((*(one for one in _TAKEN.get() if one in self.now), number))
        return number

    def call(self, url: httpx.URL) -> None:
        """Note that this task makes an HTTP call."""
        if self.of_this_context():
            self.fault(f"a pooled connection is held while {url.host} is called")

    def fault(self, what: str) -> None:
        """Note a fault with the lines of the service that led to it."""
        # SQLAlchemy runs its own part in a greenlet; who called it stands in the parent's frames.
        parent = getcurrent().parent
        frames = [
            *(traceback.extract_stack(parent.gr_frame) if parent and parent.gr_frame else ()),
            *traceback.extract_stack(),
        ]
        lines = [f"  {one.filename}:{one.lineno} {one.line}" for one in frames]
        self.faults.append("\n".join([what, *(line for line in lines if "/app/" in line)]))


_NUMBERS = count()
# A task inherits it from the task that began it.
_TAKEN: ContextVar[tuple[int, ...]] = ContextVar("taken", default=())


@contextmanager
def recording() -> Iterator[Held]:
    """Record what every pool of this process gives out, and every call of an httpx client."""
    held = Held()
    numbers: dict[int, int] = {}  # by the pool's own record of a connection

    def checkout(_: object, record: Any, __: object) -> None:  # noqa: ANN401 - SQLAlchemy's own
        numbers[id(record)] = held.take(record._ConnectionRecord__pool)

    def checkin(_: object, record: object) -> None:
        held.now.pop(numbers.pop(id(record), -1), None)

    send = httpx.AsyncClient.send

    async def sending(
        self: httpx.AsyncClient,
        request: httpx.Request,
        **how: Any,  # noqa: ANN401 - as httpx has it
    ) -> httpx.Response:
        held.call(request.url)
        return await send(self, request, **how)

    event.listen(Pool, "checkout", checkout)
    event.listen(Pool, "checkin", checkin)
    httpx.AsyncClient.send = sending  # type: ignore[method-assign]
    try:
        yield held
    finally:
        httpx.AsyncClient.send = send  # type: ignore[method-assign]
        event.remove(Pool, "checkout", checkout)
        event.remove(Pool, "checkin", checkin)
