"""Finds people who have been active since a given time."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.wechat.ids import AccountOpenId

# With this id, an event of the same second counts as later.
FIRST_ID: Final = UUID(int=0)


async def active_since(
    session: AsyncSession, people: Iterable[tuple[str, str, datetime, UUID]]
) -> set[AccountOpenId]:
    """Return those who have followed again, or done anything else, since (until, event_id).

    people: AppID, OpenID, until, event_id. One statement for all of them.
    """
    rows = list(people)
    if not rows:
        return set()
    found = await session.execute(
        _ACTIVE,
        {
            "appids": [appid for appid, _, _, _ in rows],
            "openids": [openid for _, openid, _, _ in rows],
            "untils": [until for _, _, until, _ in rows],
            "event_ids": [event_id for _, _, _, event_id in rows],
        },
    )
    return {(appid, openid) for appid, openid in found}


# An unfollow is not activity, nor is what WeChat or an agent does about a person: events of
# deliveries, of customer-service sessions and of authorizations. A login report or a sync sets
# last_seen_at by our clock and is not activity either, except a login with its time. The statement
# reads `callbacks`, a table of the package `callback` above this one, because a push is activity
# and thousands of people are looked up at once.
_ACTIVE = text(
    """
    SELECT p.appid, p.openid
    FROM unnest(CAST(:appids AS text[]), CAST(:openids AS text[]),
                CAST(:untils AS timestamptz[]), CAST(:event_ids AS uuid[]))
         AS p(appid, openid, until, event_id)
    LEFT JOIN openids o USING (appid, openid)
    WHERE o.logged_in_at > p.until
       OR EXISTS (
           SELECT FROM followers f
           WHERE f.appid = p.appid AND f.openid = p.openid AND f.following
             AND (f.last_at, f.last_id) > (p.until, p.event_id)
       )
       OR o.last_seen_at > p.until AND EXISTS (
           SELECT FROM callbacks c
           WHERE c.appid = p.appid AND c.openid = p.openid AND c.occurred_at > p.until
             AND (event IS NULL OR event NOT IN (
                 'unsubscribe', 'subscribe_msg_sent_event', 'TEMPLATESENDJOBFINISH',
                 'kf_create_session', 'kf_close_session', 'kf_switch_session',
                 'user_info_modified', 'user_authorization_revoke',
                 'user_authorization_cancellation'
             ))
       )
    """
)
