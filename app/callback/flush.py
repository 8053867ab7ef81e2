"""The statement that stores a batch of callbacks, and the transaction around it.

One statement on purpose: every round trip more is latency for a lone callback and CPU for
all. It is the only place that writes more than one room's tables. Locks are taken in one
order everywhere: callbacks by (appid, dedupe_key), then openids and send_windows by key. A
reply that is locked is being delivered and is passed over; the sweep looks at it again.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import asyncpg

from app.callback.record import Kept, Record
from app.db.queue import NewJob, enqueue_on
from app.identity.jobs import resolve_job
from app.replies.jobs import deliver_job

STORE = """
WITH incoming AS (
    SELECT * FROM unnest(
        $1::uuid[], $2::text[], $3::bytea[], $4::text[], $5::text[], $6::text[],
        $7::timestamptz[], $8::timestamptz[], $9::text[], $10::bool[], $11::bool[],
        $12::bigint[], $13::text[], $14::text[], $15::timestamptz[], $16::bigint[],
        $17::text[], $18::text[], $19::text[]
    ) AS t(
        id, appid, dedupe_key, openid, msgtype, event,
        occurred_at, received_at, payload, person, asks,
        rule_id, passive, trigger, window_until, window_sends,
        follow_action, scene, ticket
    )
), fresh AS (
    INSERT INTO callbacks (id, appid, dedupe_key, openid, msgtype, event, occurred_at,
                           received_at, payload, rule_id, passive)
    SELECT id, appid, dedupe_key, openid, msgtype, event, occurred_at,
           received_at, payload::jsonb, rule_id, passive::jsonb
    FROM incoming ORDER BY appid, dedupe_key
    ON CONFLICT (appid, dedupe_key) DO NOTHING
    RETURNING id
), news AS (
    SELECT incoming.* FROM incoming JOIN fresh USING (id)
), seen AS (
    INSERT INTO openids AS o (appid, openid, first_seen_at, last_seen_at,
                              resolve_state, resolve_reason, resolve_next_at)
    SELECT appid, openid, min(occurred_at), max(occurred_at),
           CASE WHEN bool_or(asks) THEN 'pending' ELSE 'unavailable' END,
           CASE WHEN bool_or(asks) THEN NULL ELSE 'not_an_oa' END,
           CASE WHEN bool_or(asks) THEN max(received_at) END
    FROM news WHERE person GROUP BY appid, openid ORDER BY appid, openid
    ON CONFLICT (appid, openid) DO UPDATE SET
        first_seen_at = LEAST(o.first_seen_at, EXCLUDED.first_seen_at),
        last_seen_at = GREATEST(o.last_seen_at, EXCLUDED.last_seen_at),
        resolve_state = CASE WHEN o.resolve_reason = 'not_following'
                             THEN EXCLUDED.resolve_state ELSE o.resolve_state END,
        resolve_next_at = CASE WHEN o.resolve_reason = 'not_following'
                               THEN EXCLUDED.resolve_next_at ELSE o.resolve_next_at END,
        resolve_reason = NULLIF(o.resolve_reason, 'not_following')
    RETURNING appid, openid, unionid,
              resolve_state = 'pending' AND resolve_next_at <= $36 AS due
), opened AS (
    INSERT INTO send_windows AS w (appid, openid, trigger, opened_at, expires_at, sends_left)
    SELECT appid, openid, trigger, max(occurred_at), max(window_until), max(window_sends)
    FROM news WHERE trigger IS NOT NULL
    GROUP BY appid, openid, trigger ORDER BY appid, openid, trigger
    ON CONFLICT (appid, openid, trigger) DO UPDATE SET
        opened_at = EXCLUDED.opened_at,
        expires_at = EXCLUDED.expires_at,
        sends_left = EXCLUDED.sends_left
    WHERE EXCLUDED.opened_at >= w.opened_at
    RETURNING appid, openid
), followed AS (
    INSERT INTO follow_events (id, callback_id, appid, openid, unionid, action, scene, ticket,
                               occurred_at)
    SELECT n.id, n.id, n.appid, n.openid, seen.unionid, n.follow_action, n.scene, n.ticket,
           n.occurred_at
    FROM news n LEFT JOIN seen USING (appid, openid) WHERE n.follow_action IS NOT NULL
), subscribed AS (
    INSERT INTO subscription_events (id, callback_id, appid, openid, unionid, action,
                                     template_id, status, popup_scene, msgid, error_code,
                                     occurred_at)
    SELECT s.id, n.id, n.appid, n.openid, seen.unionid, s.action,
           s.template_id, s.status, s.popup_scene, s.msgid, s.error_code, n.occurred_at
    FROM unnest($20::uuid[], $21::uuid[], $22::text[], $23::text[], $24::text[], $25::text[],
                $26::text[], $27::text[])
         AS s(id, callback_id, action, template_id, status, popup_scene, msgid, error_code)
    JOIN news n ON n.id = s.callback_id
    LEFT JOIN seen USING (appid, openid)
), answered AS (
    INSERT INTO replies (id, callback_id, position, appid, openid, rule_id, via, msgtype,
                         content, status, created_at, expires_at, sent_at)
    SELECT r.id, n.id, r.position, n.appid, n.openid, n.rule_id, r.via, r.msgtype,
           r.content::jsonb, r.status, n.received_at, r.expires_at,
           CASE WHEN r.status = 'sent' THEN n.received_at END
    FROM unnest($28::uuid[], $29::uuid[], $30::bigint[], $31::text[], $32::text[], $33::text[],
                $34::text[], $35::timestamptz[])
         AS r(id, callback_id, position, via, msgtype, content, status, expires_at)
    JOIN news n ON n.id = r.callback_id
), leaving AS (
    SELECT waiting.id FROM news CROSS JOIN LATERAL (
        SELECT id FROM replies r
        WHERE r.appid = news.appid AND r.openid = news.openid
          AND r.status IN ('pending', 'held') AND r.created_at <= news.received_at
        ORDER BY id DESC LIMIT 100 FOR UPDATE SKIP LOCKED
    ) waiting WHERE news.follow_action = 'unfollow'
), gone AS (
    UPDATE replies SET status = 'skipped', errmsg = 'the follower has left'
    WHERE id IN (SELECT id FROM leaving)
), closed AS (
    DELETE FROM send_windows USING news
    WHERE news.follow_action = 'unfollow' AND send_windows.appid = news.appid
      AND send_windows.openid = news.openid AND send_windows.opened_at <= news.occurred_at
), waking AS (
    SELECT waiting.id FROM opened CROSS JOIN LATERAL (
        SELECT id FROM replies r
        WHERE r.appid = opened.appid AND r.openid = opened.openid AND r.status = 'held'
        LIMIT 100 FOR UPDATE SKIP LOCKED
    ) waiting
), woken AS (
    UPDATE replies SET status = 'pending' WHERE id IN (SELECT id FROM waking)
    RETURNING callback_id
)
SELECT (SELECT array_agg(id) FROM fresh) AS fresh,
       (SELECT array_agg(DISTINCT appid) FROM seen WHERE due) AS to_resolve,
       (SELECT array_agg(DISTINCT callback_id) FROM woken) AS woken
"""

# The statement is the same each time and touches rows by key alone. Planned anew for every
# batch, it would spend more on planning than on storing; and a plan made while the tables are
# empty must not read them whole when they are not.
SESSION = {
    "plan_cache_mode": "force_generic_plan",
    "enable_seqscan": "off",
    "jit": "off",
}

FIRST_COPIES = """
SELECT c.appid, c.dedupe_key, c.passive::text AS passive
FROM unnest($1::text[], $2::bytea[]) AS k(appid, dedupe_key)
JOIN callbacks c USING (appid, dedupe_key)
"""


@dataclass(frozen=True, slots=True)
class Flushed:
    """What the statement did. woken: callbacks whose held replies may be sent again."""

    fresh: frozenset[UUID]
    to_resolve: tuple[str, ...]
    woken: tuple[UUID, ...]


async def store(connection: asyncpg.Connection, batch: Sequence[Record]) -> list[Kept]:
    """Commit `batch` in one transaction; return what each record is to be answered with.

    A copy of an earlier callback, stored or in this batch, has no effect and gets the first
    one's passive reply. Raises asyncpg.PostgresError, OSError or TimeoutError; then nothing
    of the batch is stored, or all of it (the connection was lost while committing).
    """
    async with connection.transaction():
        flushed = _flushed(await connection.fetchrow(STORE, *_arguments(batch)))
        await enqueue_on(connection, _jobs(batch, flushed))
    return await _answers(connection, batch, flushed.fresh)


def _flushed(row: asyncpg.Record) -> Flushed:
    return Flushed(
        frozenset(row["fresh"] or ()), tuple(row["to_resolve"] or ()), tuple(row["woken"] or ())
    )


def _jobs(batch: Sequence[Record], flushed: Flushed) -> list[NewJob]:
    queued = [
        record.id
        for record in batch
        if record.id in flushed.fresh and any(draft.expires_at for draft in record.drafts)
    ]
    return [
        *(deliver_job(callback_id) for callback_id in (*queued, *flushed.woken)),
        *(resolve_job(appid) for appid in flushed.to_resolve),
    ]


async def _answers(
    connection: asyncpg.Connection, batch: Sequence[Record], fresh: frozenset[UUID]
) -> list[Kept]:
    copies = [record for record in batch if record.id not in fresh]
    if not copies:
        return [Kept(record.passive) for record in batch]
    rows = await connection.fetch(
        FIRST_COPIES, [copy.appid for copy in copies], [copy.dedupe_key for copy in copies]
    )
    first = {(row["appid"], row["dedupe_key"]): row["passive"] for row in rows}
    return [
        Kept(record.passive)
        if record.id in fresh
        else Kept(first.get((record.appid, record.dedupe_key)), duplicate=True)
        for record in batch
    ]


def _arguments(batch: Sequence[Record]) -> list[Any]:
    """Return the statement's arrays, one per column, in its order; then the moment."""
    subscriptions = [(entry, record.id) for record in batch for entry in record.subscriptions]
    drafts = [(draft, record.id) for record in batch for draft in record.drafts]
    return [
        *([column(record) for record in batch] for column in _CALLBACK),
        [entry.id for entry, _ in subscriptions],
        [callback_id for _, callback_id in subscriptions],
        *([column(entry) for entry, _ in subscriptions] for column in _SUBSCRIPTION),
        [draft.id for draft, _ in drafts],
        [callback_id for _, callback_id in drafts],
        *([column(draft) for draft, _ in drafts] for column in _DRAFT),
        max(record.received_at for record in batch),
    ]


_CALLBACK: tuple[Callable[[Record], Any], ...] = (
    lambda r: r.id,
    lambda r: r.appid,
    lambda r: r.dedupe_key,
    lambda r: r.openid,
    lambda r: r.msgtype,
    lambda r: r.event,
    lambda r: r.occurred_at,
    lambda r: r.received_at,
    lambda r: r.payload,
    lambda r: r.person,
    lambda r: r.asks,
    lambda r: r.rule_id,
    lambda r: r.passive,
    lambda r: r.window and r.window.trigger.value,
    lambda r: r.window and r.window.until,
    lambda r: r.window and r.window.sends,
    lambda r: r.follow and r.follow.action.value,
    lambda r: r.follow and r.follow.scene,
    lambda r: r.follow and r.follow.ticket,
)

_SUBSCRIPTION: tuple[Callable[[Any], Any], ...] = (
    lambda s: s.action.value,
    lambda s: s.template_id,
    lambda s: s.status,
    lambda s: s.popup_scene,
    lambda s: s.msgid,
    lambda s: s.error_code,
)

_DRAFT: tuple[Callable[[Any], Any], ...] = (
    lambda d: d.position,
    lambda d: d.via.value,
    lambda d: d.msgtype,
    lambda d: d.content,
    lambda d: d.status.value,
    lambda d: d.expires_at,
)
