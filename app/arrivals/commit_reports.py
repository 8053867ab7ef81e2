"""The group commit of reports: what arrives while one is under way shares the next one.

As in the inbox of callbacks, there is no timer: a lone report waits for nobody. There is no spool:
a reporter is told that nothing was stored, and sends the same reports again.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import structlog

from app import tracing
from app.arrivals import report_store
from app.arrivals.errors import TooManyWaiting
from app.arrivals.new_arrival import NewArrival
from app.db.brief import brief_transaction
from app.db.engine import SessionFactory
from app.db.job_executor import is_unavailable
from app.tombstones.erasure_secret import ErasureSecret

MAX_PER_COMMIT: Final = 5_000
MAX_WAITING: Final = 20_000

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Stored:
    """What became of the reports of one request. erased: left out. The rest was known by its id."""

    stored: int
    erased: int


@dataclass(slots=True)
class _Waiting:
    reports: Sequence[NewArrival]
    result: asyncio.Future[Stored]


class ReportCommitter:
    """Stores reports, those of several requests in one transaction."""

    def __init__(self, sessions: SessionFactory, secret: ErasureSecret) -> None:
        self._sessions = sessions
        self._secret = secret
        self._waiting: list[_Waiting] = []
        self._count = 0
        self._committing: asyncio.Task[None] | None = None

    async def keep(self, reports: Sequence[NewArrival]) -> Stored:
        """Return once the reports are committed.

        Raises TooManyWaiting and the errors of the database; then none of them is stored.
        """
        if self._count + len(reports) > MAX_WAITING:
            raise TooManyWaiting
        loop = asyncio.get_running_loop()
        waiting = _Waiting(reports, loop.create_future())
        self._waiting.append(waiting)
        self._count += len(reports)
        if self._committing is None or self._committing.done():
            self._committing = loop.create_task(self._commit_all(), context=tracing.no_context())
        return await waiting.result

    async def _commit_all(self) -> None:
        while self._waiting:
            # One round of the loop, so that what has arrived by now shares this commit.
            await asyncio.sleep(0)
            batch = self._next_batch()
            try:
                results = await self._commit([one.reports for one in batch])
            except Exception as error:  # noqa: BLE001 - outermost: nobody may be left waiting
                await self._after_failure(batch, error)
            else:
                for waiting, result in zip(batch, results, strict=True):
                    _answer(waiting, result)

    def _next_batch(self) -> list[_Waiting]:
        batch: list[_Waiting] = []
        size = 0
        for waiting in self._waiting:
            size += len(waiting.reports)
            if batch and size > MAX_PER_COMMIT:
                break
            batch.append(waiting)
        del self._waiting[: len(batch)]
        self._count -= sum(len(one.reports) for one in batch)
        return batch

    async def _commit(self, requests: Sequence[Sequence[NewArrival]]) -> list[Stored]:
        every = [report for reports in requests for report in reports]
        async with brief_transaction(self._sessions) as session:
            erased = await report_store.still_erased(session, self._secret, every)
            new = await report_store.add(session, [one for one in every if one.id not in erased])
        return [
            Stored(
                stored=sum(one.id in new for one in reports),
                erased=sum(one.id in erased for one in reports),
            )
            for reports in requests
        ]

    async def _after_failure(self, batch: Sequence[_Waiting], error: Exception) -> None:
        """Tell every request, or find the one whose reports the database can't store."""
        if len(batch) == 1 or is_unavailable(error):
            log.warning("arrivals.not_stored", error=type(error).__name__)
            _fail(batch, error)
            return
        for waiting in batch:
            try:
                (result,) = await self._commit([waiting.reports])
            except Exception as own:  # noqa: BLE001 - as above
                log.warning("arrivals.not_stored", error=type(own).__name__)
                _fail([waiting], own)
            else:
                _answer(waiting, result)


def _answer(waiting: _Waiting, result: Stored) -> None:
    if not waiting.result.done():  # else the request was given up
        waiting.result.set_result(result)


def _fail(batch: Sequence[_Waiting], error: Exception) -> None:
    for waiting in batch:
        if not waiting.result.done():
            waiting.result.set_exception(error)
