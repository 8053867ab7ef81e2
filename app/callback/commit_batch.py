"""How a batch of callbacks gets into the database.

Who splits a batch, who retries and who owns the transaction is told here, from the outside in:

1. `BatchCommitter.commit` bounds the time. It cuts a batch before an unfollow of somebody who is in
   it already, since one statement does not see its own effects. Whatever goes wrong in the middle
   costs the connection.
2. `BatchCommitter._commit_part` repeats a part once that lost a race for a lock, and halves a part
   that holds a value which the database can't store, until that record stands alone (BadData).
3. `_commit_once` owns the transaction. In it stand, in this order: the signatures of plain mode
   (`plain_signatures`), the cooldowns (`cooldowns`), the one statement (`insert_sql`), the same for
   what only looks like a copy (`repeated_follows`), the jobs and the erasures. After it copies get
   their first answer (`duplicates`).

What to do when the database is unavailable is decided one floor up, in `inbox`.
"""

import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import asyncpg
import structlog

from app import tracing
from app.callback import duplicates, plain_signatures, repeated_follows
from app.callback.commit_timer import CommitTimer
from app.callback.cooldowns import claim
from app.callback.errors import BadData, CooldownLost, SignatureUsed
from app.callback.inbox_connection import InboxConnection, is_unavailable
from app.callback.insert_rows import statement_of
from app.callback.insert_sql import WAKE
from app.callback.record import Record, StoredResult
from app.db.engine import CONNECT_TIMEOUT_SECONDS, UNAVAILABLE_ERRORS
from app.db.queue import NewJob, enqueue_on, start_after
from app.events.models import FollowAction, SubscriptionAction
from app.notices.jobs import settle_job
from app.privacy.jobs import check_job
from app.privacy.policy import BY_WECHAT, NewErasure
from app.privacy.store import open_on
from app.replies import expiry_report
from app.replies.expire import ExpiredReply, ExpiryReason
from app.replies.jobs import deliver_job, deliver_key, is_urgent
from app.replies.models import ReplyStatus
from app.unionid_resolution.jobs import resolve_job
from app.wechat.inbound import TemplateSendJobFinish

CommitResult = StoredResult | BadData | SignatureUsed | CooldownLost

TEMPLATE_REPORT = TemplateSendJobFinish.event

_LOST_RACES = (asyncpg.DeadlockDetectedError, asyncpg.SerializationError)

log = structlog.get_logger()


class ResolveThrottle:
    """At most one resolve job a second and account: each more is a round trip for nothing."""

    def __init__(self) -> None:
        self._enqueued: dict[str, int] = {}

    def allow(self, appid: str) -> bool:
        """Tell whether no job was enqueued for this account in this second."""
        return self._enqueued.get(appid) != int(time.time())

    def record(self, appids: Sequence[str]) -> None:
        """Remember jobs that are committed; a job that was rolled back does not exist."""
        self._enqueued.update(dict.fromkeys(appids, int(time.time())))


class BatchCommitter:
    """Commits batches over one connection; not for two tasks at once.

    wait: how long queued replies wait for the passive one to be handed over; None: not at all.
    """

    def __init__(self, url: str, wait: timedelta | None = None) -> None:
        self._connection = InboxConnection(url)
        self._wait = wait
        self._throttle = ResolveThrottle()

    async def commit(self, batch: Sequence[Record], *, seconds: float) -> list[CommitResult]:
        """Commit a batch; return one result per record, in its order.

        A record fails alone: BadData when the database can't hold one of its values, CooldownLost
        when another push had the turn of one of its rules. Raises an error that `is_unavailable`
        when the database is unavailable or takes longer than `seconds`.
        """
        results: list[CommitResult] = []
        # It closes the connection rather than to cancel the commit: a cancelled transaction sends
        # ROLLBACK, and waits for a server that does not answer.
        timer = CommitTimer(seconds, self.close)
        try:
            await self._connection.open(timer.left)
            for part in split_before_unfollow(batch):
                results += await self._commit_part(part)
        except BaseException as error:
            # After an error in mid-flight nobody knows what the connection still waits for.
            self.close()
            if timer.expired and isinstance(error, UNAVAILABLE_ERRORS):
                raise TimeoutError from error
            raise
        finally:
            timer.cancel()
        return results

    async def _commit_part(
        self, batch: Sequence[Record], *, again: bool = True
    ) -> Sequence[CommitResult]:
        connection = await self._connection.open(CONNECT_TIMEOUT_SECONDS)
        try:
            return await _commit_once(connection, batch, self._throttle, self._wait)
        except Exception as error:
            if again and isinstance(error, _LOST_RACES):
                return await self._commit_part(batch, again=False)
            if is_unavailable(error):
                raise
            if connection.is_closed():
                # Closed by the timer between two steps, the driver fails with errors of any kind.
                raise ConnectionResetError from error
            if len(batch) == 1:
                # The error's own words may hold the value that was refused.
                with tracing.trace(None, batch[0].id):
                    log.error(
                        "inbox.callback_refused",
                        callback_id=str(batch[0].id),
                        error=type(error).__name__,
                    )
                return [BadData()]
        middle = len(batch) // 2
        first = await self._commit_part(batch[:middle])
        return [*first, *await self._commit_part(batch[middle:])]

    def close(self) -> None:
        """Close the connection; the next commit opens a new one."""
        self._connection.close()


def split_before_unfollow(batch: Sequence[Record]) -> Iterator[Sequence[Record]]:
    """Cut a batch before an unfollow of somebody who is in it already.

    One statement sees nothing of what it does itself: what an unfollow ends must stand before.
    """
    start, present = 0, set[tuple[str, str]]()
    for number, record in enumerate(batch):
        person = (record.appid, record.openid)
        leaves = record.follow is not None and record.follow.action is FollowAction.UNFOLLOW
        if leaves and person in present:
            yield batch[start:number]
            start, present = number, set()
        present.add(person)
    yield batch[start:]


@dataclass(frozen=True, slots=True)
class _Inserted:
    """What the statement did. held: followers with replies that wait for them to act.

    late: some may be from before their sender was erased.
    """

    fresh: frozenset[UUID]
    to_resolve: tuple[str, ...]
    held: frozenset[tuple[str, str]]
    late: bool

    def with_more(self, other: "_Inserted") -> "_Inserted":
        """Return what two statements did."""
        return _Inserted(
            self.fresh | other.fresh,
            (*self.to_resolve, *other.to_resolve),
            self.held | other.held,
            late=self.late or other.late,
        )


_NOTHING = _Inserted(frozenset(), (), frozenset(), late=False)


async def _commit_once(
    connection: asyncpg.Connection,
    batch: Sequence[Record],
    throttle: ResolveThrottle,
    wait: timedelta | None,
) -> list[CommitResult]:
    """Commit `batch` in one transaction; return what each record is to be answered with.

    A copy of an earlier callback, stored or in this batch, has no effect and gets the first
    one's passive reply. A record whose cooldown is lost is not stored. Raises
    asyncpg.PostgresError, OSError or TimeoutError; then nothing of the batch is stored, or all of
    it (the connection was lost while committing).
    """
    async with nullcontext() if _commits_by_itself(batch) else connection.transaction():
        refused = await _refused(connection, batch)
        rest = [record for record in batch if record.id not in refused] if refused else batch
        rest, inserted = await _insert(connection, rest)
        woken = await _wake(connection, rest, inserted) if inserted.held else ()
        await enqueue_on(connection, _jobs(rest, inserted, woken, throttle, wait))
        erasures = _erasures(rest, inserted)
        await open_on(connection, erasures)
    _log_unidentified(erasures)
    throttle.record(inserted.to_resolve)
    _report_expired(rest, inserted)
    found = await duplicates.results(connection, rest, inserted.fresh)
    if wait is not None:
        await _wait_for_repeated(connection, found, wait)
    if not refused:
        return [*found]
    results = iter(found)
    return [refused[record.id] if record.id in refused else next(results) for record in batch]


async def _wait_for_repeated(
    connection: asyncpg.Connection, results: Sequence[StoredResult], wait: timedelta
) -> None:
    """Let queued replies wait for the answer to a repeated push, as for that to the first one."""
    keys = [deliver_key(one.first_id) for one in results if one.first_id and one.passive]
    if keys:
        await start_after(connection, keys, wait)


async def _refused(
    connection: asyncpg.Connection, batch: Sequence[Record]
) -> Mapping[UUID, SignatureUsed | CooldownLost]:
    """Return the records that may not be stored, with the reason."""
    used = await plain_signatures.claim(connection, batch)
    if used:
        batch = [record for record in batch if record.id not in used]
    lost = await claim(connection, batch)
    return {
        **{record_id: SignatureUsed() for record_id in used},
        **{record_id: CooldownLost(rule_ids) for record_id, rule_ids in lost.items()},
    }


def _commits_by_itself(batch: Sequence[Record]) -> bool:
    """Tell whether a batch leaves only what the one statement stores, which commits by itself.

    The jobs that it may still lead to only announce rows that stand in tables; a job that is
    lost with the connection is made good by the sweeps, and so is a held reply that was not queued
    again. Two round trips less.
    """
    return not any(
        record.claims
        or record.duty
        or record.signature
        or record.has_queued
        or _reports_deliveries(record)
        for record in batch
    )


def _is_urgent(record: Record) -> bool:
    return any(
        reply.expires_at is not None and is_urgent(reply.expires_at, record.received_at)
        for reply in record.drafts
    )


async def _insert(
    connection: asyncpg.Connection, batch: Sequence[Record]
) -> tuple[Sequence[Record], _Inserted]:
    """Insert the batch; return it with the keys under which it is stored, and what that did."""
    inserted, pending = _NOTHING, batch
    while pending:
        row = await connection.fetchrow(*statement_of(pending))
        if row is not None:
            inserted = inserted.with_more(_inserted(row))
        copies = [record for record in pending if record.id not in inserted.fresh]
        others = await repeated_follows.others(connection, copies) if copies else {}
        batch = [others.get(record.id, record) for record in batch] if others else batch
        pending = [*others.values()]
    return batch, inserted


async def _wake(
    connection: asyncpg.Connection, batch: Sequence[Record], inserted: _Inserted
) -> Collection[tuple[UUID, str]]:
    """Queue held replies of followers who opened a window; return their callbacks and accounts."""
    people = {
        (record.appid, record.openid)
        for record in batch
        if record.window is not None and record.id in inserted.fresh
    }
    found = sorted(people & inserted.held)
    if not found:
        return ()
    appids, openids = zip(*found, strict=True)
    rows = await connection.fetch(WAKE, appids, openids)
    return {(row["callback_id"], row["appid"]) for row in rows}


def _inserted(row: asyncpg.Record) -> _Inserted:
    return _Inserted(
        frozenset(row["fresh"] or ()),
        tuple(row["to_resolve"] or ()),
        frozenset((appid, openid) for appid, openid in row["held"] or ()),
        row["late"],
    )


def _jobs(
    batch: Sequence[Record],
    inserted: _Inserted,
    woken: Collection[tuple[UUID, str]],
    throttle: ResolveThrottle,
    wait: timedelta | None,
) -> list[NewJob]:
    fresh = [record for record in batch if record.id in inserted.fresh]
    queued = [record for record in fresh if record.has_queued]
    reports = [record.id for record in fresh if _reports_deliveries(record)]
    return [
        *(
            deliver_job(
                record.id,
                record.appid,
                urgent=_is_urgent(record),
                delay=None if record.passive is None else wait,
            )
            for record in queued
        ),
        *(deliver_job(*callback) for callback in woken),
        *(resolve_job(appid) for appid in inserted.to_resolve if throttle.allow(appid)),
        *([check_job()] if inserted.late else ()),
        *([settle_job(reports)] if reports else ()),
    ]


def _reports_deliveries(record: Record) -> bool:
    """Tell whether a push says what became of a notice."""
    return record.event == TEMPLATE_REPORT or any(
        entry.action is SubscriptionAction.SENT for entry in record.subscriptions
    )


def _report_expired(batch: Sequence[Record], inserted: _Inserted) -> None:
    """Report replies that can't be sent, because the push came after the end of its window."""
    for record in batch:
        expired = [reply for reply in record.drafts if reply.status is ReplyStatus.EXPIRED]
        if not expired or record.id not in inserted.fresh:
            continue
        late = (record.received_at - record.occurred_at).total_seconds()
        found = [
            ExpiredReply(record.appid, reply.msgtype, ExpiryReason.PUSH_LATE, late)
            for reply in expired
        ]
        with tracing.trace(None, record.id):
            expiry_report.report(found, callback_id=record.id, errmsg=expired[0].errmsg)


def _erasures(batch: Sequence[Record], inserted: _Inserted) -> list[NewErasure]:
    """The events themselves are stored first: that somebody left is history, who it was is not."""
    return [
        NewErasure(
            id=record.id,
            duty=record.duty,
            appid=record.appid,
            requested_by=BY_WECHAT,
            requested_at=record.received_at,
            until=record.occurred_at,
        )
        for record in batch
        if record.duty is not None and record.id in inserted.fresh
    ]


def _log_unidentified(erasures: Sequence[NewErasure]) -> None:
    for erasure in erasures:
        if erasure.duty.needs_person is not None:
            with tracing.trace(None, erasure.id):  # the id of the callback
                log.warning(
                    "privacy.needs_person",
                    erasure_id=str(erasure.id),
                    appid=erasure.appid,
                    trigger=erasure.duty.trigger.value,
                    reason=erasure.duty.needs_person.value,
                )
