"""The inbox: group commit, and the spool for when the database is unavailable.

One flush is in flight at a time; what arrives meanwhile waits in a list and shares the next
one. There is no timer, so a lone callback waits for nobody. `commit_batch` tells how a batch is
committed; here is decided whether it is committed or spooled, and who waits for what.
"""

import asyncio
import sqlite3
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog

from app import metrics, tracing
from app.callback.commit_batch import BatchCommitter, CommitResult
from app.callback.cooldowns import without_rules
from app.callback.errors import BadData, CooldownLost, InboxError, NotStored, SignatureUsed
from app.callback.record import Record, StoredResult
from app.callback.spool import Spool, Spooled, SpoolFull, SpoolStatus
from app.callback.spooled_cooldowns import SpooledCooldowns
from app.db.diagnosis import describe
from app.db.engine import UNAVAILABLE_ERRORS
from app.wechat.errors import WeChatError

FLUSH_SECONDS = 2.0
MAX_PER_FLUSH = 500
DRAIN_PAUSE_SECONDS = 0.25
DRAIN_SECONDS = 10.0
# Of a flush that fails, a log line names so many callbacks.
MAX_IDS_LOGGED = 20
# How long readiness shows that callbacks were refused.
SHOW_REFUSAL_SECONDS = 10.0

log = structlog.get_logger()

StoreResult = StoredResult | InboxError


class Undecided(Exception):
    """No rules are loaded yet, so a spooled callback can't be decided."""


@dataclass(slots=True)
class _Waiting:
    record: Record
    result: asyncio.Future[StoredResult]


def _first_ids(batch: Sequence[Record]) -> list[str]:
    return [str(record.id) for record in batch[:MAX_IDS_LOGGED]]


class Inbox:
    """Stores callbacks: in the database, or in the spool while that is unavailable.

    decide: makes the choice that a spooled record lacks (no rules were loaded when it came);
    raises Undecided while that is still so.
    """

    def __init__(
        self,
        committer: BatchCommitter,
        spool: Spool | None,
        *,
        decide: Callable[[Record], Record],
    ) -> None:
        self._committer = committer
        self._spool = spool
        self._decide = decide
        self.spooled_cooldowns = SpooledCooldowns()
        self._waiting: list[_Waiting] = []
        self._flushing: asyncio.Task[None] | None = None
        self._draining: asyncio.Task[None] | None = None
        # Held while a batch is stored, so that spooling is never ended under an append.
        self._storing = asyncio.Lock()
        self._spooled = 0
        self._dead_letters = 0
        self._failing = False
        # Rows that are committed may stand in the spool, of an earlier process, too.
        self._removal_due = True
        self._refused_at: float | None = None
        # Kept, since asking for it asks the system which process this is.
        self._loop: asyncio.AbstractEventLoop | None = None

    async def start(self) -> None:
        """Look into the spool: what an earlier process left there is committed first."""
        if self._spool is not None:
            self._count(await self._spool.count())
            self._show_dead_letters(await self._spool.count_dead_letters())
            if self._spooled:
                self._begin_draining()

    async def stop(self) -> None:
        """Flush what waits, then close; what is spooled stays for the next start."""
        if self._flushing is not None:
            await self._flushing
        if self._draining is not None:
            self._draining.cancel()
            await asyncio.gather(self._draining, return_exceptions=True)
        self._committer.close()
        if self._spool is not None:
            await self._spool.close()

    def spool_status(self) -> SpoolStatus:
        """Return how full the spool is, as this process knows it."""
        limit = self._spool.limit if self._spool is not None else 0
        refusing = (
            self._refused_at is not None
            and time.monotonic() - self._refused_at < SHOW_REFUSAL_SECONDS
        )
        return SpoolStatus(
            self._spool is not None, self._spooled, limit, self._dead_letters, refusing
        )

    async def keep(self, record: Record) -> StoredResult:
        """Return once `record` is committed, or on disk while the database is unavailable.

        Raises NotStored, BadData, CooldownLost.
        """
        loop = self._loop = self._loop or asyncio.get_running_loop()
        waiting = _Waiting(record, loop.create_future())
        self._waiting.append(waiting)
        if self._flushing is None or self._flushing.done():
            # It serves others as well, so it has not the id of this push.
            self._flushing = loop.create_task(self._flush(), context=tracing.no_context())
        return await waiting.result

    async def _flush(self) -> None:
        while self._waiting:
            # One round of the loop, so that what has arrived by now shares this flush.
            await asyncio.sleep(0)
            batch = self._waiting[:MAX_PER_FLUSH]
            del self._waiting[:MAX_PER_FLUSH]
            metrics.INBOX_WAITING.set(len(self._waiting))
            began = time.time_ns()
            async with self._storing:
                results = await self._store_batch([waiting.record for waiting in batch])
            if tracing.is_recording():
                ids = [waiting.record.id for waiting in batch]
                tracing.note_ended("inbox.flush", ids, began, {"oa_bridge.callbacks": len(ids)})
            if any(isinstance(result, NotStored) for result in results):
                self._refused_at = time.monotonic()
            for waiting, result in zip(batch, results, strict=True):
                _answer(waiting.result, result)

    async def _store_batch(self, batch: Sequence[Record]) -> Sequence[StoreResult]:
        """Commit a batch, or spool it; return one result per record, whatever happens."""
        try:
            if self._draining is None and all(record.decided for record in batch):
                began = time.perf_counter()
                try:
                    results = await self._committer.commit(batch, seconds=FLUSH_SECONDS)
                except UNAVAILABLE_ERRORS as error:
                    log.warning(
                        "inbox.database_away",
                        error=type(error).__name__,
                        reason=describe(error),
                        callback_ids=_first_ids(batch),
                    )
                else:
                    metrics.COMMIT_SECONDS.observe(time.perf_counter() - began)
                    metrics.COMMIT_BATCH_SIZE.observe(len(batch))
                    return results
            return await self._append(batch)
        except Exception as error:  # noqa: BLE001 - outermost: nobody may be left waiting
            # Without the error's own words, which may hold what a follower wrote.
            log.error(
                "inbox.flush_failed",
                error=type(error).__name__,
                callbacks=len(batch),
                callback_ids=_first_ids(batch),
                where="".join(traceback.format_tb(error.__traceback__)),
            )
            return [NotStored() for _ in batch]

    async def _append(self, batch: Sequence[Record]) -> Sequence[StoreResult]:
        """Spool what fits, in order; the rest is not stored.

        What another push has taken the turn of is not spooled: it is decided again.
        """
        if self._spool is None:
            return [NotStored() for _ in batch]
        losses = self.spooled_cooldowns.lost(batch)
        kept = [record for record, lost in zip(batch, losses, strict=True) if not lost]
        results = iter(await self._append_all(self._spool, kept) if kept else ())
        return [CooldownLost(lost) if lost else next(results) for lost in losses]

    async def _append_all(self, spool: Spool, batch: Sequence[Record]) -> Sequence[StoreResult]:
        try:
            fits = batch[: await spool.room()]
            passives = await spool.append(fits) if fits else []
        except (SpoolFull, sqlite3.Error, OSError) as error:
            log.error(
                "inbox.spool_refused",
                error=type(error).__name__,
                callbacks=len(batch),
                callback_ids=_first_ids(batch),
            )
            return [NotStored() for _ in batch]
        for record in fits:
            self.spooled_cooldowns.remember(record)
        self._count(self._spooled + len(fits))
        self._begin_draining()
        rest = [NotStored() for _ in batch[len(fits) :]]
        return [*(StoredResult(passive, spooled=True) for passive in passives), *rest]

    def _begin_draining(self) -> None:
        if self._draining is None:
            self._draining = asyncio.create_task(self._drain())

    async def _drain(self) -> None:
        while True:
            try:
                if await self._drain_all():
                    return
            except Exception as error:  # noqa: BLE001 - outermost: the spool must go on
                if not self._failing:  # once an outage, not four times a second
                    log.warning("inbox.still_spooling", error=type(error).__name__)
                self._failing = True
            else:
                self._failing = False
            await asyncio.sleep(DRAIN_PAUSE_SECONDS)

    async def _drain_all(self) -> bool:
        """Commit what is spooled; return whether nothing is left and the spool is out of use."""
        spool = self._spool
        if spool is None:
            return True
        if spool.may_drain():
            while await self._drain_some(spool):
                pass
        async with self._storing:
            self._count(await spool.count())
            if self._spooled:
                return False
            spool.leave_draining()
            self._draining = None
        log.info("inbox.spool_drained")
        return True

    async def _drain_some(self, spool: Spool) -> bool:
        oldest = await spool.oldest(MAX_PER_FLUSH)
        if not oldest:
            return False
        readable = await self._readable(spool, oldest)
        for number, result in (await self._commit_spooled(readable)).items():
            if isinstance(result, BadData | SignatureUsed):
                with tracing.trace(None, readable[number].id):
                    await self._dead_letter(spool, number)
        await spool.mark_drained(oldest[-1].number)
        self._removal_due = True
        await self.remove_drained()
        left = await spool.count()
        if left:  # 0 is shown only once the spool is out of use and pushes are committed directly
            self._count(left)
        return True

    async def remove_drained(self) -> None:
        """Delete what is committed from the spool. A disk that has no room for it holds up nothing.

        Called again every minute while it fails.
        """
        if self._spool is None or not self._removal_due:
            return
        try:
            await self._spool.remove_drained()
            self._removal_due = False
        except (sqlite3.Error, OSError) as error:
            log.error("inbox.spool_not_emptied", error=type(error).__name__)

    async def _commit_spooled(self, records: dict[int, Record]) -> dict[int, CommitResult]:
        """Commit records that have been answered, without replies of rules in their cooldown."""
        began = time.time_ns()
        committed = await self._committer.commit(list(records.values()), seconds=DRAIN_SECONDS)
        if tracing.is_recording():
            ids = [record.id for record in records.values()]
            tracing.note_ended("inbox.drain", ids, began, {"oa_bridge.callbacks": len(ids)})
        results = dict(zip(records, committed, strict=True))
        lost = {
            number: without_rules(records[number], result.rule_ids)
            for number, result in results.items()
            if isinstance(result, CooldownLost)
        }
        return results | await self._commit_spooled(lost) if lost else results

    async def _readable(self, spool: Spool, oldest: Sequence[Spooled]) -> dict[int, Record]:
        """Return the records by number, decided; what can't be read becomes a dead letter.

        Raises Undecided while no rules are loaded.
        """
        readable: dict[int, Record] = {}
        for item in oldest:
            try:
                record = item.read()
                readable[item.number] = record if record.decided else self._decide(record)
            except (ValueError, WeChatError):
                await self._dead_letter(spool, item.number)
        return readable

    async def _dead_letter(self, spool: Spool, number: int) -> None:
        log.error("inbox.spooled_callback_refused", number=number)
        await spool.dead_letter(number)
        self._show_dead_letters(await spool.count_dead_letters())

    async def recount_dead_letters(self) -> None:
        """Count the dead letters again: some have been deleted."""
        if self._spool is not None:
            self._show_dead_letters(await self._spool.count_dead_letters())

    def _show_dead_letters(self, refused: int) -> None:
        self._dead_letters = refused
        metrics.SPOOL_DEAD_LETTERS.set(refused)

    def _count(self, spooled: int) -> None:
        self._spooled = spooled
        metrics.SPOOL_CALLBACKS.set(spooled)


def _answer(waiting: asyncio.Future[StoredResult], result: StoreResult) -> None:
    if waiting.done():  # the request's time was up
        return
    if isinstance(result, StoredResult):
        waiting.set_result(result)
    else:
        waiting.set_exception(result)
