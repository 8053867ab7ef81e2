"""The arguments of the inbox's one statement, made from a batch of records. Pure."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from app.callback.insert_sql import (
    FOLLOWS,
    REPLIES,
    SUBSCRIPTIONS,
    TAPS,
    WINDOWS,
    WITH_TAPS,
    Part,
    statement,
)
from app.callback.record import Record
from app.replies.models import WindowTrigger

_NO_PASSIVE: tuple[UUID | None, str | None, int | None] = (None, None, None)


def statement_of(batch: Sequence[Record]) -> tuple[Any, ...]:
    """Return the statement that stores the batch, then its arguments: one array per column.

    It has the parts that the batch needs, and no others.
    """
    parts: list[Part] = []
    arguments = _callbacks(batch)
    for part, rows in (
        (WINDOWS, _windows(batch)),
        (REPLIES, _replies(batch)),
        (FOLLOWS, _follows(batch)),
        (SUBSCRIPTIONS, _subscriptions(batch)),
    ):
        if rows:
            parts.append(part)
            arguments += (_array(column) for column in zip(*rows, strict=True))
    if any(record.event in TAPS for record in batch):
        parts.append(WITH_TAPS)
    now = max(record.received_at for record in batch)
    return statement(*parts), now, *arguments


def _array(column: Iterable[Any]) -> Sequence[Any]:
    """Return a column; `unnest` fills up with NULL, and what is empty is neither sent nor read."""
    values = [*column]
    return () if values.count(None) == len(values) else values


def _callbacks(batch: Sequence[Record]) -> list[Sequence[Any]]:
    # Column by column: rows that are turned into columns cost twice the time.
    passives = [_passive(record) for record in batch]
    return [
        [record.id for record in batch],
        [record.appid for record in batch],
        [record.dedupe_key for record in batch],
        [record.openid for record in batch],
        [record.msgtype for record in batch],
        _array(record.event for record in batch),
        [record.occurred_at for record in batch],
        [record.received_at for record in batch],
        [record.payload for record in batch],
        [record.person for record in batch],
        [record.asks for record in batch],
        _array(record.rule_id for record in batch),
        _array(record.passive for record in batch),
        *(_array(column) for column in zip(*passives, strict=True)),
        _array(_messaged_at(record) for record in batch),
    ]


def _messaged_at(record: Record) -> datetime | None:
    window = record.window
    if window is None or window.trigger is not WindowTrigger.MESSAGE:
        return None
    return window.opened_at


def _passive(record: Record) -> tuple[UUID | None, str | None, int | None]:
    """Return id, kind and rule of the passive reply; no rule if it is the best one, as mostly."""
    if record.passive is not None:
        for reply in record.drafts:
            if reply.is_in_response:
                rule_id = None if reply.rule_id == record.rule_id else reply.rule_id
                return reply.id, reply.msgtype, rule_id
    return _NO_PASSIVE


def _windows(batch: Sequence[Record]) -> list[tuple[Any, ...]]:
    return [
        (record.id, window.trigger, window.until, window.sends)
        for record in batch
        if (window := record.window) is not None
        and (window.trigger is not WindowTrigger.MESSAGE or record.has_queued)
    ]


def _replies(batch: Sequence[Record]) -> list[tuple[Any, ...]]:
    return [
        (
            reply.id,
            record.id,
            reply.position,
            reply.via,
            reply.msgtype,
            reply.content,
            reply.status,
            reply.expires_at,
            reply.rule_id,
            reply.errmsg,
        )
        for record in batch
        for reply in record.drafts
        if not reply.is_in_response
    ]


def _follows(batch: Sequence[Record]) -> list[tuple[Any, ...]]:
    return [
        (record.id, follow.action, follow.scene, follow.ticket)
        for record in batch
        if (follow := record.follow) is not None
    ]


def _subscriptions(batch: Sequence[Record]) -> list[tuple[Any, ...]]:
    return [
        (
            entry.id,
            record.id,
            entry.action,
            entry.template_id,
            entry.status,
            entry.popup_scene,
            entry.msgid,
            entry.error_code,
        )
        for record in batch
        for entry in record.subscriptions
    ]
