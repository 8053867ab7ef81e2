"""Writes errors for the log without messages that quote values, as the database's driver does.

A value may be text that a follower wrote, or an OpenID.
"""

import logging
import re
import traceback
from collections.abc import Iterator
from types import TracebackType
from typing import Final

# Libraries whose messages quote the values that they were given.
QUOTING: Final = frozenset({"asyncpg", "sqlalchemy", "pgqueuer", "pydantic", "pydantic_core"})
HIDDEN: Final = "(message not logged)"

# In the repr of an asyncio task, as asyncio and PgQueuer log it.
_OF_TASK: Final = re.compile(r"exception=(\w+)\(.*\)>", re.DOTALL)

ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None]


class NoErrorsInArguments(logging.Filter):
    """Replaces errors among the arguments of a log call by `error_text`."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Change the record, and keep it."""
        if isinstance(record.args, tuple):
            record.args = tuple(
                error_text(one) if isinstance(one, BaseException) else one for one in record.args
            )
        return True


def error_text(error: BaseException) -> str:
    """Return the type of an error, with its message if it quotes no values."""
    return _summary(error, hidden=_quotes(error))


def without_task_errors(text: str) -> str:
    """Return `text` without the messages of errors in the repr of a task."""
    return _OF_TASK.sub(r"exception=\1>", text)


def format_exception(exc_info: ExcInfo) -> str:
    """Return the traceback of an error and of those that led to it.

    If one of them quotes values, no message of any of them is in it.
    """
    error = exc_info[1]
    return "".join(_lines(error, hidden=_quotes(error))).rstrip("\n")


def _quotes(error: BaseException) -> bool:
    return any(
        type(one).__module__.partition(".")[0] in QUOTING or isinstance(one, KeyError)
        for one in _chain(error)
    )


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Return an error, those before it, and those in a group, each once."""
    seen: set[int] = set()
    waiting = [error]
    while waiting:
        one = waiting.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        waiting += [before for before in (one.__cause__, one.__context__) if before is not None]
        waiting += getattr(one, "exceptions", ())


def _lines(error: BaseException, *, hidden: bool) -> Iterator[str]:
    chain = list(_chain(error))
    for number, one in enumerate(reversed(chain)):
        if number:
            yield "\nThen:\n\n"
        yield "Traceback (most recent call last):\n"
        yield from traceback.format_tb(one.__traceback__)
        yield f"{_summary(one, hidden=hidden)}\n"


def _summary(error: BaseException, *, hidden: bool) -> str:
    if hidden:
        return f"{type(error).__name__} {HIDDEN}"
    return "".join(traceback.format_exception_only(error)).rstrip("\n")
