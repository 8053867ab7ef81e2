"""The ledger of what may be sent to a follower: SQL of send windows.

A send is reserved before WeChat is called and settled after it, so that workers that send to one
follower at the same time never make more calls than the windows allow. A reservation takes one send
from a window. It is given back when the message was certainly not sent; an attempt whose outcome is
unknown keeps it. When WeChat says that a window is closed or used up, the ledger follows.

Locks are taken in one order: the reply, then the follower's windows by trigger. The window of a
message has a row only once a send needs it (`message_window`).
"""

from datetime import datetime
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.replies import message_window
from app.replies.models import Reply, WindowTrigger
from app.replies.retry_policy import WINDOW_CLOSED
from app.replies.send_windows import Limits

NO_WINDOW: Final = "no send window is open"
KEPT_FOR_OTHERS: Final = "the sends that are left are kept for rules of a higher priority"


async def reserve(session: AsyncSession, reply: Reply, now: datetime, limits: Limits) -> str | None:
    """Take one send from the open window that ends first; return why there is none for this reply.

    A reply yields while so many replies of rules with a higher priority wait as sends are left.
    Those that WeChat has refused for another reason than the window keep nobody waiting.
    """
    await message_window.store(session, reply, now, limits)
    person = {"appid": reply.appid, "openid": reply.openid, "now": now}
    windows = (await session.execute(_OPEN, person)).all()
    left = sum(window.sends_left for window in windows)
    if not left:
        return NO_WINDOW
    waiting = await session.scalar(
        _BEFORE,
        {**person, "rule_id": reply.rule_id, "closed": sorted(WINDOW_CLOSED), "limit": left},
    )
    if waiting >= left:
        return KEPT_FOR_OTHERS
    first = min(windows, key=lambda window: window.expires_at)
    await session.execute(_TAKE, {**person, "trigger": first.trigger})
    reply.reserved_trigger, reply.reserved_at = WindowTrigger(first.trigger), now
    return None


async def give_back(session: AsyncSession, reply: Reply, limits: Limits) -> None:
    """Give a reservation back, if its window was neither opened again nor corrected since."""
    if reply.reserved_trigger is None:
        return
    is_message = reply.reserved_trigger is WindowTrigger.MESSAGE
    await session.execute(
        _GIVE_BACK,
        {
            "appid": reply.appid,
            "openid": reply.openid,
            "trigger": reply.reserved_trigger,
            "reserved_at": reply.reserved_at,
            "most": limits.message_sends if is_message else limits.action_sends,
        },
    )


async def charge(session: AsyncSession, reply: Reply, now: datetime, limits: Limits) -> None:
    """Count a send that was not reserved, as those of older versions were not."""
    await message_window.store(session, reply, now, limits)
    person = {"appid": reply.appid, "openid": reply.openid, "now": now}
    windows = (await session.execute(_OPEN, person)).all()
    if windows:
        first = min(windows, key=lambda window: window.expires_at)
        await session.execute(_TAKE, {**person, "trigger": first.trigger})


async def close(session: AsyncSession, reply: Reply, tried_at: datetime, limits: Limits) -> None:
    """Close the windows that were open at `tried_at`: WeChat has said so."""
    await message_window.store(session, reply, tried_at, limits)
    await session.execute(
        _CLOSE, {"appid": reply.appid, "openid": reply.openid, "tried_at": tried_at}
    )


async def sends_left(session: AsyncSession, reply: Reply, now: datetime, limits: Limits) -> int:
    """Return how many sends the open windows of the reply's follower have left."""
    await message_window.store(session, reply, now, limits)
    person = {"appid": reply.appid, "openid": reply.openid, "now": now}
    return int((await session.execute(_LEFT, person)).scalar_one())


_OPEN: Final = text("""
SELECT trigger, expires_at, sends_left FROM send_windows
WHERE appid = :appid AND openid = :openid AND sends_left > 0 AND expires_at > :now
ORDER BY trigger FOR UPDATE
""")

_LEFT: Final = text("""
SELECT COALESCE(sum(sends_left), 0) FROM send_windows
WHERE appid = :appid AND openid = :openid AND sends_left > 0 AND expires_at > :now
""")

# A rule that is gone comes last. Priorities are read now, so that an edited one counts at once.
_BEFORE: Final = text("""
SELECT count(*) FROM (
    SELECT FROM replies r JOIN rules ON rules.id = r.rule_id
    WHERE r.appid = :appid AND r.openid = :openid AND r.status IN ('pending', 'held')
      AND r.expires_at > :now AND (r.errcode IS NULL OR r.errcode = ANY(CAST(:closed AS int[])))
      AND rules.priority > COALESCE(
          (SELECT priority FROM rules WHERE id = CAST(:rule_id AS bigint)), -2147483649
      )
    LIMIT :limit
) AS waiting
""")

_TAKE: Final = text("""
UPDATE send_windows SET sends_left = sends_left - 1
WHERE appid = :appid AND openid = :openid AND trigger = :trigger
""")

_GIVE_BACK: Final = text("""
UPDATE send_windows SET sends_left = sends_left + 1
WHERE appid = :appid AND openid = :openid AND trigger = :trigger AND sends_left < :most
  AND opened_at <= :reserved_at AND (closed_at IS NULL OR closed_at < :reserved_at)
""")

_CLOSE: Final = text("""
UPDATE send_windows SET sends_left = 0, closed_at = :tried_at
WHERE appid = :appid AND openid = :openid AND opened_at <= :tried_at
""")
