"""SQL of the usual way of a queued reply, for many replies at once.

A worker sends many replies at the same time. Each of them would need a dozen statements of its own;
here they share three: which replies a callback still owes, the claim, and that they were sent. What
is not usual (somebody else is at the reply or the follower's windows, it is overdue, no send is
left, others go first, WeChat has refused it) is left to the statements of `store`, one reply at a
time.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

import asyncpg
import orjson

from app.clock import Clock
from app.db.batches import Batches
from app.db.brief_connection import BriefConnection
from app.replies.message_window import life_of
from app.replies.models import Reply, ReplyStatus, WindowTrigger
from app.replies.retry_policy import WINDOW_CLOSED
from app.replies.send_results import SendResult
from app.replies.send_windows import Limits
from app.value_class import value_class
from app.wechat.outbound import OF_RULE

MAX_BATCH: Final = 100


@value_class
class OwedReply:
    """A reply that is still to be sent. mini_program: which one a card opens."""

    id: UUID
    appid: str
    mini_program: str | None
    expires_at: datetime | None


class SendBatches:
    """The statements of one worker. worker: its name in the attempts."""

    def __init__(
        self, connection: BriefConnection, clock: Clock, worker: str, limits: Limits
    ) -> None:
        self._connection = connection
        self._clock = clock
        self._worker = worker
        self._limits = limits
        self._to_send = Batches(self._read, most=MAX_BATCH)
        self._claims = Batches(self._claim, most=MAX_BATCH)
        self._results = Batches(self._mark_sent, most=MAX_BATCH)

    async def to_send(self, callback_id: UUID) -> Sequence[OwedReply]:
        """Return the replies of a callback that are still to be sent, in the rule's order."""
        return await self._to_send.do(callback_id)

    async def claim(self, reply_id: UUID) -> Reply | None:
        """Mark a reply as being sent and reserve a send for it; None if that takes a closer look.

        Raises the errors of the database; nobody knows then whether it is marked.
        """
        return await self._claims.do(reply_id)

    async def mark_sent(self, result: SendResult) -> bool:
        """Record that a reply was sent; return whether others to its follower are held.

        It is recorded once, however often this is repeated.
        """
        return await self._results.do(result)

    async def _read(self, callback_ids: Sequence[UUID]) -> Sequence[Sequence[OwedReply]]:
        async with self._connection.use() as connection:
            return await to_send(connection, callback_ids)

    async def _claim(self, reply_ids: Sequence[UUID]) -> Sequence[Reply | None]:
        async with self._connection.use() as connection:
            return await claim(
                connection,
                reply_ids,
                clock=self._clock,
                worker=self._worker,
                limits=self._limits,
            )

    async def _mark_sent(self, results: Sequence[SendResult]) -> Sequence[bool]:
        async with self._connection.use() as connection:
            return await mark_sent(connection, results)


async def to_send(
    connection: asyncpg.Connection, callback_ids: Sequence[UUID]
) -> Sequence[Sequence[OwedReply]]:
    """Return for each callback the replies that are still to be sent, in the rule's order."""
    owed: defaultdict[UUID, list[OwedReply]] = defaultdict(list)
    for row in await connection.fetch(_TO_SEND, callback_ids):
        callback_id, *reply = row
        owed[callback_id].append(OwedReply(*reply))
    return [owed[callback_id] for callback_id in callback_ids]


async def claim(
    connection: asyncpg.Connection,
    reply_ids: Sequence[UUID],
    *,
    clock: Clock,
    worker: str,
    limits: Limits,
) -> Sequence[Reply | None]:
    """Claim replies of which there is nothing to decide; return them, and None for the others.

    At most one to each follower: the others have to see what it leaves them. Waits for no lock.
    """
    now = clock.now()
    begin = now - life_of(limits)
    rows = await connection.fetch(_CLAIM, reply_ids, now, sorted(WINDOW_CLOSED), worker, begin)
    claimed = {row["id"]: _reply_of(row) for row in rows}
    return [claimed.get(reply_id) for reply_id in reply_ids]


async def mark_sent(
    connection: asyncpg.Connection, results: Sequence[SendResult]
) -> Sequence[bool]:
    """Record that replies were sent; return for each whether others to its follower are held.

    Their reservations are used. What was sent in place of what is stored, with the person's code,
    takes its place; a content that was erased meanwhile stays so.
    """
    found = await connection.fetch(
        _MARK_SENT,
        [result.reply.id for result in results],
        [result.reply.attempts for result in results],
        [result.ended_at for result in results],
        [result.coded and result.coded.msgtype for result in results],
        [result.coded and result.coded.model_dump_json(exclude=OF_RULE) for result in results],
    )
    others_held = {row["id"] for row in found}
    return [result.reply.id in others_held for result in results]


def _reply_of(row: asyncpg.Record) -> Reply:
    return Reply(
        **{
            **row,
            "content": orjson.loads(row["content"]),
            "status": ReplyStatus(row["status"]),
            "reserved_trigger": WindowTrigger(row["reserved_trigger"]),
        }
    )


_TO_SEND: Final = """
SELECT callback_id, id, appid,
       CASE WHEN msgtype = 'miniprogrampage' THEN content ->> 'appid' END, expires_at
FROM replies
WHERE callback_id = ANY($1::uuid[]) AND via = 'customer_service'
  AND status IN ('pending', 'sending')
ORDER BY callback_id, position
"""

# Which window is charged and who goes first is as in `ledger.reserve`. A row that somebody else has
# locked is passed over, and so is a follower one of whose windows is: its sends are not known. Nor
# are they while the window of a message that came at $5 or later has no row.
_CLAIM: Final = """
WITH free AS MATERIALIZED (
    SELECT id, appid, openid, rule_id FROM replies
    WHERE id = ANY($1::uuid[]) AND status = 'pending' AND (expires_at IS NULL OR expires_at > $2)
    FOR UPDATE SKIP LOCKED
), next AS MATERIALIZED (
    SELECT DISTINCT ON (appid, openid) id, appid, openid, rule_id FROM free
    ORDER BY appid, openid, id
), locked AS MATERIALIZED (
    SELECT next.id, w.trigger, w.expires_at, w.sends_left
    FROM next JOIN send_windows w ON w.appid = next.appid AND w.openid = next.openid
    WHERE w.sends_left > 0 AND w.expires_at > $2
    FOR UPDATE OF w SKIP LOCKED
), windows AS (
    SELECT DISTINCT ON (id) id, trigger,
           sum(sends_left) OVER (PARTITION BY id) AS sends_left,
           count(*) OVER (PARTITION BY id) AS number
    FROM locked ORDER BY id, expires_at
), chosen AS MATERIALIZED (
    SELECT next.id, next.appid, next.openid, windows.trigger
    FROM next JOIN windows USING (id)
    WHERE windows.number = (
        SELECT count(*) FROM send_windows w
        WHERE w.appid = next.appid AND w.openid = next.openid
          AND w.sends_left > 0 AND w.expires_at > $2
    ) AND NOT EXISTS (
        SELECT FROM openids o
        WHERE o.appid = next.appid AND o.openid = next.openid
          AND o.messaged_at > GREATEST($5, (
              SELECT w.opened_at FROM send_windows w
              WHERE w.appid = next.appid AND w.openid = next.openid AND w.trigger = 'message'
          ))
    ) AND windows.sends_left > (
        SELECT count(*) FROM replies r JOIN rules ON rules.id = r.rule_id
        WHERE r.appid = next.appid AND r.openid = next.openid AND r.status IN ('pending', 'held')
          AND r.expires_at > $2 AND (r.errcode IS NULL OR r.errcode = ANY($3::int[]))
          AND rules.priority > COALESCE(
              (SELECT priority FROM rules WHERE id = next.rule_id), -2147483649
          )
    )
), taken AS (
    UPDATE send_windows w SET sends_left = w.sends_left - 1 FROM chosen
    WHERE w.appid = chosen.appid AND w.openid = chosen.openid AND w.trigger = chosen.trigger
), claimed AS (
    UPDATE replies r
    SET status = 'sending', attempts = r.attempts + 1, reserved_trigger = chosen.trigger,
        reserved_at = $2
    FROM chosen WHERE r.id = chosen.id
    RETURNING r.id, r.callback_id, r.position, r.appid, r.openid, r.rule_id, r.via, r.msgtype,
              r.content, r.status, r.attempts, r.uncertain_attempts, r.errcode, r.errmsg, r.rid,
              r.created_at, r.expires_at, r.sent_at, r.reserved_trigger, r.reserved_at
), begun AS (
    INSERT INTO reply_attempts (reply_id, number, began_at, worker)
    SELECT id, attempts, $2, $4 FROM claimed
)
SELECT * FROM claimed
"""

# LIMIT keeps the planner from reading everything that is held.
_MARK_SENT: Final = """
WITH told AS MATERIALIZED (
    SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::timestamptz[], $4::text[], $5::text[])
        AS t(id, number, ended_at, msgtype, content)
), sent AS (
    UPDATE replies r
    SET status = 'sent', sent_at = told.ended_at, errcode = NULL, errmsg = NULL, rid = NULL,
        msgtype = COALESCE(told.msgtype, r.msgtype),
        content = CASE WHEN told.content IS NULL OR r.content = '{}' THEN r.content
                       ELSE told.content::jsonb END
    FROM told WHERE r.id = told.id AND r.status <> 'sent'
), ended AS (
    UPDATE reply_attempts a
    SET ended_at = told.ended_at, status = 'sent', errcode = NULL, errmsg = NULL, rid = NULL
    FROM told WHERE a.reply_id = told.id AND a.number = told.number AND a.ended_at IS NULL
)
SELECT told.id FROM told JOIN replies r USING (id) CROSS JOIN LATERAL (
    SELECT FROM replies
    WHERE appid = r.appid AND openid = r.openid AND status = 'held'
    LIMIT 1
) AS held
"""
