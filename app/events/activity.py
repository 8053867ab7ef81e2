"""Which people have done something of their own since a moment."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.wechat.ids import AccountOpenId

# With this one, whatever came in the same second counts as later.
FIRST_ID: Final = UUID(int=0)


async def active_since(
    session: AsyncSession, people: Iterable[tuple[str, str, datetime, UUID]]
) -> set[AccountOpenId]:
    """Return those who follow again, or did anything, since (until, event_id).

    people: AppID, OpenID, until, event_id. Asked once for all of them.
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


# Leaving is not coming back, nor is what WeChat or an agent does about a person: reports of
# deliveries, sessions and authorisations. A report or a sync makes them seen, but by our clock;
# a login that is reported with its time is an act. The inbox owns `callbacks` and is above this
# package, but a push is an act, and thousands of people are asked about in one statement.
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
