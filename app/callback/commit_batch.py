"""The transaction that stores a batch of callbacks, and what each is to be answered with."""

import time
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import asyncpg

from app.callback.cooldowns import claim
from app.callback.duplicates import answers
from app.callback.errors import CooldownLost
from app.callback.insert_sql import STORE, STORE_WITH_HISTORY
from app.callback.record import Record, StoredResult
from app.db.queue import NewJob, enqueue_on
from app.events.from_push import NewSubscription
from app.identity.jobs import resolve_job
from app.privacy.jobs import check_job
from app.privacy.policy import BY_WECHAT, NewErasure
from app.privacy.store import open_on
from app.replies.jobs import deliver_job
from app.replies.new_reply import Draft

# The statements are the same each time and touch rows by key alone. Planned anew for every
# batch, it would spend more on planning than on storing; and a plan made while the tables are
# empty must not read them whole when they are not.
SESSION = {
    "plan_cache_mode": "force_generic_plan",
    "enable_seqscan": "off",
    "jit": "off",
}


@dataclass(frozen=True, slots=True)
class Flushed:
    """What the statement did. woken: callbacks whose held replies may be sent again.

    late: some may be from before their sender was erased.
    """

    fresh: frozenset[UUID]
    to_resolve: tuple[str, ...]
    woken: tuple[UUID, ...]
    late: bool


_NOTHING = Flushed(frozenset(), (), (), late=False)


class ResolveThrottle:
    """One ring a second and account is enough; each more costs a round trip for nothing."""

    def __init__(self) -> None:
        self._recorded: dict[str, int] = {}

    def allow(self, appid: str) -> bool:
        """Tell whether nobody rang for this account in this second."""
        return self._recorded.get(appid) != int(time.time())

    def record(self, appids: Sequence[str]) -> None:
        """Remember rings that are committed; one that was rolled back has not been heard."""
        self._recorded.update(dict.fromkeys(appids, int(time.time())))


async def store(
    connection: asyncpg.Connection, batch: Sequence[Record], throttle: ResolveThrottle
) -> list[StoredResult | CooldownLost]:
    """Commit `batch` in one transaction; return what each record is to be answered with.

    A copy of an earlier callback, stored or in this batch, has no effect and gets the first
    one's passive reply. A record that is Beaten is not stored. Raises asyncpg.PostgresError,
    OSError or TimeoutError; then nothing of the batch is stored, or all of it (the connection
    was lost while committing).
    """
    async with nullcontext() if _is_one_statement(batch) else connection.transaction():
        lost = await claim(connection, batch)
        rest = [record for record in batch if record.id not in lost] if lost else batch
        flushed = _flushed(await connection.fetchrow(*_statement(rest))) if rest else _NOTHING
        await enqueue_on(connection, _jobs(rest, flushed, throttle))
        await open_on(connection, _erasures(rest, flushed))
    throttle.record(flushed.to_resolve)
    kept = iter(await answers(connection, rest, flushed.fresh))
    return [CooldownLost(lost[record.id]) if record.id in lost else next(kept) for record in batch]


def _is_one_statement(batch: Sequence[Record]) -> bool:
    """Tell whether a batch leaves only what the one statement stores, which commits by itself.

    The jobs that it may still lead to only ring for rows that stand in tables; a ring that is
    lost with the connection is made good by the sweeps. Two round trips less.
    """
    return not any(record.claims or record.duty or _is_queued(record) for record in batch)


def _is_queued(record: Record) -> bool:
    return any(draft.expires_at is not None for draft in record.drafts)


def _flushed(row: asyncpg.Record) -> Flushed:
    return Flushed(
        frozenset(row["fresh"] or ()),
        tuple(row["to_resolve"] or ()),
        tuple(row["woken"] or ()),
        row["late"],
    )


def _jobs(batch: Sequence[Record], flushed: Flushed, throttle: ResolveThrottle) -> list[NewJob]:
    queued = [record.id for record in batch if record.id in flushed.fresh and _is_queued(record)]
    return [
        *(deliver_job(callback_id) for callback_id in (*queued, *flushed.woken)),
        *(resolve_job(appid) for appid in flushed.to_resolve if throttle.allow(appid)),
        *([check_job()] if flushed.late else ()),
    ]


def _erasures(batch: Sequence[Record], flushed: Flushed) -> list[NewErasure]:
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
        if record.duty is not None and record.id in flushed.fresh
    ]


def _statement(batch: Sequence[Record]) -> tuple[Any, ...]:
    """Return the statement and its arguments. Most batches tell nothing of the history."""
    if any(record.follow or record.subscriptions for record in batch):
        return STORE_WITH_HISTORY, *_arguments(batch), *_history_arguments(batch)
    return STORE, *_arguments(batch)


def _arguments(batch: Sequence[Record]) -> list[Any]:
    """Return the statement's arrays, one per column, in its order; then the moment."""
    return [
        *_columns(19, [_callback_row(record) for record in batch]),
        *_columns(
            10, [_reply_row(record.id, draft) for record in batch for draft in record.drafts]
        ),
        max(record.received_at for record in batch),
    ]


def _history_arguments(batch: Sequence[Record]) -> list[Any]:
    return _columns(
        8,
        [_subscription_row(record.id, entry) for record in batch for entry in record.subscriptions],
    )


def _columns(count: int, rows: Sequence[tuple[Any, ...]]) -> list[Any]:
    if not rows:
        return [()] * count
    # `unnest` fills up with NULL, and what is empty is neither encoded nor read.
    return [
        () if column.count(None) == len(column) else column for column in zip(*rows, strict=True)
    ]


def _callback_row(record: Record) -> tuple[Any, ...]:
    window, follow = record.window, record.follow
    return (
        record.id,
        record.appid,
        record.dedupe_key,
        record.openid,
        record.msgtype,
        record.event,
        record.occurred_at,
        record.received_at,
        record.payload,
        record.person,
        record.asks,
        record.rule_id,
        record.passive,
        *((window.trigger, window.until, window.sends) if window else (None, None, None)),
        *((follow.action, follow.scene, follow.ticket) if follow else (None, None, None)),
    )


def _reply_row(callback_id: UUID, draft: Draft) -> tuple[Any, ...]:
    return (
        draft.id,
        callback_id,
        draft.position,
        draft.via,
        draft.msgtype,
        draft.content,
        draft.status,
        draft.expires_at,
        draft.rule_id,
        draft.errmsg,
    )


def _subscription_row(callback_id: UUID, entry: NewSubscription) -> tuple[Any, ...]:
    return (
        entry.id,
        callback_id,
        entry.action,
        entry.template_id,
        entry.status,
        entry.popup_scene,
        entry.msgid,
        entry.error_code,
    )
