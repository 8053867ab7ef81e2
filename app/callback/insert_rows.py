"""The arguments of the inbox's one statement, made from a batch of records. Pure."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from app.callback.insert_sql import (
    STORE,
    STORE_WITH_HISTORY,
    STORE_WITH_HISTORY_AND_TAPS,
    STORE_WITH_TAPS,
    TAPS,
)
from app.callback.record import Record
from app.events.from_push import NewSubscription
from app.replies.new_reply import NewReply

_CALLBACK_COLUMNS = 22
_REPLY_COLUMNS = 10
_SUBSCRIPTION_COLUMNS = 8


def statement_of(batch: Sequence[Record]) -> tuple[Any, ...]:
    """Return the statement that stores the batch, then its arguments: one array per column.

    Most batches hold no follow, no subscription event and no tap, and take the shortest statement.
    """
    callbacks = _columns(_CALLBACK_COLUMNS, [_callback_row(record) for record in batch])
    replies = _columns(
        _REPLY_COLUMNS,
        [
            _reply_row(record.id, reply)
            for record in batch
            for reply in record.drafts
            if not reply.is_in_response
        ],
    )
    now = max(record.received_at for record in batch)
    taps = any(record.event in TAPS for record in batch)
    if not any(record.follow or record.subscriptions for record in batch):
        return STORE_WITH_TAPS if taps else STORE, *callbacks, *replies, now
    subscriptions = _columns(
        _SUBSCRIPTION_COLUMNS,
        [_subscription_row(record.id, entry) for record in batch for entry in record.subscriptions],
    )
    statement = STORE_WITH_HISTORY_AND_TAPS if taps else STORE_WITH_HISTORY
    return statement, *callbacks, *replies, now, *subscriptions


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
        *(_passive_columns(record) if record.passive is not None else (None, None, None)),
    )


def _passive_columns(record: Record) -> tuple[UUID | None, str | None, int | None]:
    """Return id, kind and rule of the passive reply; no rule if it is the best one, as mostly."""
    for reply in record.drafts:
        if reply.is_in_response:
            rule_id = None if reply.rule_id == record.rule_id else reply.rule_id
            return reply.id, reply.msgtype, rule_id
    return None, None, None


def _reply_row(callback_id: UUID, reply: NewReply) -> tuple[Any, ...]:
    return (
        reply.id,
        callback_id,
        reply.position,
        reply.via,
        reply.msgtype,
        reply.content,
        reply.status,
        reply.expires_at,
        reply.rule_id,
        reply.errmsg,
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
