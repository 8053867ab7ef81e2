"""The send window that a message opens.

Every message opens one, and few are ever used. So a push only notes in `openids` when its sender
wrote, and the row of `send_windows` is made of that when a send needs it. A push that queues a
reply makes the row itself.
"""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.replies.models import Reply
from app.replies.send_windows import LONG_MARGIN, Limits


def life_of(limits: Limits) -> timedelta:
    """Return how long after a message sending stops."""
    return limits.message_life - LONG_MARGIN


async def store(session: AsyncSession, reply: Reply, now: datetime, limits: Limits) -> None:
    """Make the window of the latest message of the reply's follower, if it is open without a row.

    now: when it must be open.
    """
    person = {"appid": reply.appid, "openid": reply.openid}
    if await session.scalar(_UNSTORED, person | {"since": now - life_of(limits)}):
        # The windows of a follower are locked by trigger, as everywhere.
        await session.execute(_LOCK, person)
        window = {"life": life_of(limits), "sends": limits.message_sends}
        await session.execute(_STORE, person | window)


def is_open(now: datetime, limits: Limits) -> TextClause:
    """Return the condition that a reply's follower has a window that is open and has no row yet."""
    return _OF_REPLY.bindparams(since=now - life_of(limits))


def written(person: str, since: str) -> str:
    """Return the SQL that finds whether somebody has written since then, what no row tells.

    person: how the names of appid and openid begin. What was before the follower left, or is
    erased, opens no window.
    """
    return _WRITTEN.format(person=person, since=since)


_WRITTEN: Final = """
    SELECT FROM openids o
    LEFT JOIN followers f USING (appid, openid)
    LEFT JOIN send_windows w
        ON w.appid = o.appid AND w.openid = o.openid AND w.trigger = 'message'
    WHERE o.appid = {person}appid AND o.openid = {person}openid
      AND o.messaged_at > GREATEST(
          CAST({since} AS timestamptz), o.erased_until, f.unfollowed_at, w.opened_at
      )
"""
_OF_REPLY: Final = text(f"EXISTS ({written('replies.', ':since')})")
_UNSTORED: Final = text(f"SELECT EXISTS ({written(':', ':since')})")

_LOCK: Final = text("""
SELECT FROM send_windows WHERE appid = :appid AND openid = :openid ORDER BY trigger FOR UPDATE
""")

# An erasure holds the row of openids, and would not see a window that is made meanwhile. No push
# does: it changes no key.
_STORE: Final = text("""
INSERT INTO send_windows AS w (appid, openid, trigger, opened_at, expires_at, sends_left)
SELECT appid, openid, 'message', messaged_at, messaged_at + CAST(:life AS interval),
       CAST(:sends AS bigint)
FROM openids WHERE appid = :appid AND openid = :openid AND messaged_at IS NOT NULL
FOR KEY SHARE SKIP LOCKED
ON CONFLICT (appid, openid, trigger) DO UPDATE SET
    opened_at = EXCLUDED.opened_at,
    expires_at = EXCLUDED.expires_at,
    sends_left = EXCLUDED.sends_left
WHERE EXCLUDED.opened_at > w.opened_at
""")
