"""Fills a database with replies that wait to be sent. Only for measuring."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import asyncpg

from app.replies.jobs import URGENT_WITHIN

_FILL: Final = """
WITH waiting AS (
    SELECT n, gen_random_uuid() AS callback_id, 'o' || $2 || '_' || n AS openid
    FROM generate_series(1, $3) n
), windows AS (
    INSERT INTO send_windows (appid, openid, trigger, opened_at, expires_at, sends_left)
    SELECT $1, openid, 'message', now(), now() + $4::interval, 5 FROM waiting
), owed AS (
    INSERT INTO replies (id, callback_id, position, appid, openid, via, msgtype, content, status,
                         created_at, expires_at)
    SELECT gen_random_uuid(), callback_id, 0, $1, openid, 'customer_service', 'text',
           '{"msgtype": "text", "via": "customer_service", "content": "hello"}', 'pending', now(),
           now() + $4::interval
    FROM waiting
)
INSERT INTO pgqueuer (priority, entrypoint, execute_after, status, payload, dedupe_key, headers)
SELECT $5, 'replies.deliver', now(), 'queued',
       convert_to(jsonb_build_object('callback_id', callback_id)::text, 'UTF8'),
       'replies.deliver:' || callback_id, jsonb_build_object('account', $1::text)
FROM waiting ORDER BY n
"""


@dataclass(frozen=True, slots=True)
class Backlog:
    """So many replies of an account, each to another follower. name: a part of their OpenIDs.

    window: how long they may still be sent.
    """

    appid: str
    name: str
    count: int
    window: timedelta = timedelta(days=2)

    async def store(self, connection: asyncpg.Connection) -> None:
        """Store the replies, their send windows and their jobs."""
        urgent = int(self.window < URGENT_WITHIN)
        await connection.execute(_FILL, self.appid, self.name, self.count, self.window, urgent)
