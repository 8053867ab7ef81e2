"""SQL that writes the follows and unfollows which a sync found, and the resulting state.

The caller has locked the openids rows and has checked that each event is later than all stored
ones.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.events.models import FollowAction


class FoundEvent(NamedTuple):
    """A follow or unfollow. how: WeChat's subscribe_scene for a follow, if known."""

    id: UUID
    openid: str
    action: FollowAction
    occurred_at: datetime
    scene: str | None
    how: str | None


async def add_found(session: AsyncSession, appid: str, events: Sequence[FoundEvent]) -> None:
    """Add the events of an account, and set the state of their followers."""
    if not events:
        return
    columns = {
        "appid": appid,
        "ids": [event.id for event in events],
        "openids": [event.openid for event in events],
        "actions": [event.action.value for event in events],
        "times": [event.occurred_at for event in events],
        "scenes": [event.scene for event in events],
        "hows": [event.how for event in events],
    }
    await session.execute(_EVENTS, columns)
    await session.execute(_STATES, columns)


async def set_how(
    session: AsyncSession, appid: str, hows: Sequence[tuple[str, str | None]]
) -> None:
    """Set `how` of followers that lack it. hows: OpenID, subscribe_scene.

    The caller leaves out people whose contents are erased.
    """
    if not hows:
        return
    await session.execute(
        _HOW,
        {
            "appid": appid,
            "openids": [openid for openid, _ in hows],
            "hows": [how for _, how in hows],
        },
    )


_WITH_UNIONIDS = """
    SELECT t.id, t.openid, t.action, t.at, t.scene, t.how, o.unionid
    FROM unnest(CAST(:ids AS uuid[]), CAST(:openids AS text[]), CAST(:actions AS text[]),
                CAST(:times AS timestamptz[]), CAST(:scenes AS text[]), CAST(:hows AS text[]))
         AS t(id, openid, action, at, scene, how)
    JOIN openids o ON o.appid = :appid AND o.openid = t.openid
"""

_EVENTS = text(
    f"""
    WITH events AS ({_WITH_UNIONIDS})
    INSERT INTO follow_events (id, appid, openid, unionid, action, scene, occurred_at, source)
    SELECT id, :appid, openid, unionid, action, scene, at, 'sync' FROM events ORDER BY id
    """  # noqa: S608 - a constant of this module
)

_STATES = text(
    f"""
    WITH events AS ({_WITH_UNIONIDS}), state AS (
        SELECT openid, max(unionid) AS unionid, bool_or(action = 'follow') AS following,
               max(at) AS last_at,
               (array_agg(id ORDER BY id DESC))[1] AS last_id,
               max(at) FILTER (WHERE action = 'follow') AS followed_at,
               (array_agg(id) FILTER (WHERE action = 'follow'))[1] AS followed_id,
               max(scene) AS scene, max(how) AS how,
               max(at) FILTER (WHERE action = 'unfollow') AS unfollowed_at
        FROM events GROUP BY openid
    )
    INSERT INTO followers AS f (appid, openid, unionid, following, last_at, last_id, followed_at,
                                followed_id, scene, how, unfollowed_at, source)
    SELECT :appid, openid, unionid, following, last_at, last_id, followed_at,
           followed_id, scene, how, unfollowed_at, 'sync'
    FROM state ORDER BY openid
    ON CONFLICT (appid, openid) DO UPDATE SET
        unionid = COALESCE(EXCLUDED.unionid, f.unionid),
        following = EXCLUDED.following,
        source = EXCLUDED.source,
        last_at = EXCLUDED.last_at,
        last_id = EXCLUDED.last_id,
        followed_at = COALESCE(EXCLUDED.followed_at, f.followed_at),
        followed_id = COALESCE(EXCLUDED.followed_id, f.followed_id),
        scene = CASE WHEN EXCLUDED.following THEN EXCLUDED.scene ELSE f.scene END,
        how = CASE WHEN EXCLUDED.following THEN EXCLUDED.how ELSE f.how END,
        unfollowed_at = COALESCE(EXCLUDED.unfollowed_at, f.unfollowed_at)
    """  # noqa: S608 - a constant of this module
)

_HOW = text(
    """
    UPDATE followers f SET how = t.how
    FROM unnest(CAST(:openids AS text[]), CAST(:hows AS text[])) AS t(openid, how)
    WHERE f.appid = :appid AND f.openid = t.openid AND f.how IS NULL
    """
)
