"""The id that all log lines of one request, job or command have, and the spans of a trace.

Whatever a callback causes has the id of the callback, also in another process or a week later.
What no callback causes has an id that is drawn for it. Spans are recorded only while `record_with`
has set a recorder; `ops.otel` has one.
"""

import hashlib
import re
import time
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from contextvars import Context, ContextVar, Token
from types import TracebackType
from typing import Final, Protocol
from uuid import UUID

from uuid_utils.compat import uuid7

Attributes = Mapping[str, str | int | bool]
NO_ATTRIBUTES: Attributes = {}

# The id, and whether the first span of the trace is recorded, of this process or another.
_current: ContextVar[tuple[UUID, bool] | None] = ContextVar("trace", default=None)
_PARENT: Final = re.compile(r"00-([0-9a-f]{32})-[0-9a-f]{16}-(0[01])")


class Recorder(Protocol):
    """Records spans. The first span of a trace is found again by the id of the trace alone."""

    def first(
        self, name: str, trace_id: UUID, attributes: Attributes
    ) -> AbstractContextManager[object]:
        """Return a block that is recorded as the first span of its trace."""
        ...

    def further(
        self, name: str, trace_id: UUID, attributes: Attributes
    ) -> AbstractContextManager[object]:
        """Return a block that is recorded below the first span, perhaps of another process."""
        ...

    def ended(
        self, name: str, trace_id: UUID, began: int, ended: int, attributes: Attributes
    ) -> None:
        """Record what is over. began, ended: nanoseconds since 1970."""
        ...

    def note(self, attributes: Attributes) -> None:
        """Add attributes to the span that is under way."""
        ...

    def close(self) -> None:
        """Send what is recorded. Takes a second at most."""
        ...


_recorder: Recorder | None = None


def record_with(recorder: Recorder | None) -> None:
    """Set what records spans in this process; with None nothing does."""
    global _recorder  # noqa: PLW0603 - one for each process, as the metrics are
    _recorder = recorder


def is_recording() -> bool:
    """Return whether spans are recorded."""
    return _recorder is not None


def current_id() -> UUID | None:
    """Return the id of the trace under way; None outside of requests, jobs and commands."""
    current = _current.get()
    return None if current is None else current[0]


def current_parent() -> str | None:
    """Return what a job needs to go on with the trace under way, as W3C writes it; None without."""
    current = _current.get()
    return None if current is None else _parent(*current)


def parent_of(callback_id: UUID) -> str:
    """Return what a job needs to go on with the trace of a callback."""
    return _parent(callback_id, True)


def _parent(trace_id: UUID, has_span: bool) -> str:
    return f"00-{trace_id.hex}-{trace_id.hex[16:]}-{'01' if has_span else '00'}"


class trace:  # noqa: N801 - used as a function: `with trace("callback"):`
    """A block with an id of its own, in this task and those that it starts.

    name: of its span; None for no span. id: None draws one. further: whether the trace has begun
    elsewhere.
    """

    __slots__ = ("_current", "_span", "_token", "id")

    def __init__(
        self,
        name: str | None,
        id: UUID | None = None,
        *,
        further: bool = False,
        attributes: Attributes = NO_ATTRIBUTES,
    ) -> None:
        self.id: UUID = id or uuid7()
        self._current = (self.id, name is not None or further)
        self._token: Token[tuple[UUID, bool] | None] | None = None
        self._span: AbstractContextManager[object] | None = None
        if _recorder is not None and name is not None:
            start = _recorder.further if further else _recorder.first
            self._span = start(name, self.id, attributes)

    def __enter__(self) -> UUID:
        self._token = _current.set(self._current)
        if self._span is not None:
            self._span.__enter__()
        return self.id

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._span is not None:
            self._span.__exit__(kind, error, traceback)
        if self._token is not None:
            _current.reset(self._token)


def trace_of(name: str, parent: object) -> trace:
    """Return a block that goes on with the trace that `parent` names.

    parent: of `current_parent` or `parent_of`; anything else begins a trace.
    """
    found = _PARENT.fullmatch(parent) if isinstance(parent, str) else None
    if found is None:
        return trace(name)
    return trace(name, UUID(found[1]), further=found[2] == "01")


def note(attributes: Attributes) -> None:
    """Add attributes to the span that is under way, if spans are recorded."""
    if _recorder is not None:
        _recorder.note(attributes)


def note_ended(name: str, ids: Iterable[UUID], began: int, attributes: Attributes) -> None:
    """Record in each of these traces what began at `began` and is over now.

    began: of `time.time_ns()`.
    """
    if _recorder is not None:
        ended = time.time_ns()
        for trace_id in ids:
            _recorder.ended(name, trace_id, began, ended, attributes)


def close() -> None:
    """Send what is recorded, before the process ends."""
    if _recorder is not None:
        _recorder.close()


def no_context() -> Context:
    """Return a context without an id, for a task that serves others than the one that starts it."""
    return Context()


def hashed(openid: str) -> str:
    """Return what a trace says in place of an OpenID: the same for the same person."""
    return hashlib.sha256(openid.encode()).hexdigest()[:16] if openid else ""
