"""Writes what a call told, in the caller's transaction.

Locks are taken in the inbox's order: openids by key, then followers. Who holds the openids rows
decides about the rest, so what is known is read again under them.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.queue import enqueue
from app.events.models import FollowAction
from app.follower_sync.diff import Changes, KnownFollower, NewEvent, UserInfoBatch, changes_of
from app.identity.models import UnionIdSource
from app.identity.unionid_store import ASK_UNBOUND_AGAIN, UnionIdResult, record_unionids
from app.tombstones.people import Tombstone
from app.unionid_resolution.erased_unionids import without_unionid
from app.unionid_resolution.jobs import resolve_job
from app.wechat.api_responses import UserInfo

Tombstones = Mapping[str, Tombstone]
# Of those who were found to have left, in the transaction that records it; the last: the moment.
Leave = Callable[[AsyncSession, str, Sequence[NewEvent], datetime], Awaitable[None]]


async def apply(
    session: AsyncSession,
    appid: str,
    calls: Sequence[UserInfoBatch],
    now: datetime,
    *,
    gone: Tombstones,
    leave: Leave,
) -> tuple[int, int]:
    """Write what calls told that is new; return how many follows and unfollows that were.

    Nothing is locked or written when nothing is new. gone: who of them has been erased, asked for
    in this transaction: what was so before that is not learnt again.
    """
    openids = [openid for asked in calls for openid in asked.openids]
    changes = changes_of(await _known(session, appid, openids, gone), calls)
    if not changes.openids:
        return 0, 0
    await _upsert_people(session, appid, changes, now, gone)
    changes = changes_of(await _known(session, appid, changes.openids, gone), calls)
    await _identify(session, appid, changes.identified, now, gone)
    await _write_events(session, appid, changes.events)
    await _explain(session, appid, changes.explained)
    left = [event for event in changes.events if event.action is FollowAction.UNFOLLOW]
    if left:
        await leave(session, appid, left, now)
    return len(changes.events) - len(left), len(left)


async def _known(
    session: AsyncSession, appid: str, openids: Sequence[str], gone: Tombstones
) -> dict[str, KnownFollower]:
    found = await session.execute(_KNOWN, {"appid": appid, "openids": list(openids)})
    return {row.openid: _remembering(KnownFollower(*row), gone.get(row.openid)) for row in found}


def _remembering(person: KnownFollower, gone: Tombstone | None) -> KnownFollower:
    if gone is None:
        return person
    until = max(gone.until, person.erased_until or gone.until)
    return replace(person, erased_until=until, wholly=gone.wholly)


async def _upsert_people(
    session: AsyncSession, appid: str, changes: Changes, now: datetime, gone: Tombstones
) -> None:
    """Add the people we had not met, UnionID and all; lock the others. In one order.

    For a person who is added with a UnionID the database adds a row to `identity_events`: the
    trigger `oa_bridge_identity_inserted` on `openids` calls `oa_bridge_identity_learned`.
    Whoever was known a moment ago and has been erased since is not added anew.
    """
    infos = {str(info.openid): info for info in changes.unmet}
    openids = changes.openids
    people = [infos.get(openid) for openid in openids]
    forgotten = [gone.get(openid) for openid in openids]
    added = await session.scalars(
        _MEET,
        {
            "appid": appid,
            "openids": openids,
            "unionids": [None if info is None else info.unionid for info in people],
            "times": [(info and info.subscribe_time) or now for info in people],
            "untils": [one and one.until for one in forgotten],
            "next": now + ASK_UNBOUND_AGAIN,
        },
    )
    just_erased = [openid for openid in added if openid not in infos]
    if just_erased:
        await session.execute(_UNMEET, {"appid": appid, "openids": just_erased})


async def _identify(
    session: AsyncSession,
    appid: str,
    infos: Sequence[UserInfo],
    now: datetime,
    gone: Tombstones,
) -> None:
    if not infos:
        return
    told = [
        UnionIdResult(appid, info.openid, info.unionid)
        if info.unionid is not None
        else UnionIdResult(appid, info.openid, None, "not_bound", now + ASK_UNBOUND_AGAIN)
        for info in infos
    ]
    answers = [without_unionid(answer, gone.get(answer.openid)) for answer in told]
    learnt = await record_unionids(session, answers, source=UnionIdSource.USER_INFO, now=now)
    await enqueue(session, [resolve_job(woken) for woken in learnt.woken])


async def _write_events(session: AsyncSession, appid: str, events: Sequence[NewEvent]) -> None:
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


async def _explain(session: AsyncSession, appid: str, infos: Sequence[UserInfo]) -> None:
    if not infos:
        return
    await session.execute(
        _EXPLAIN,
        {
            "appid": appid,
            "openids": [info.openid for info in infos],
            "hows": [info.subscribe_scene for info in infos],
        },
    )


_KNOWN = text(
    """
    SELECT p.openid, o.openid IS NOT NULL, o.unionid, o.resolve_reason,
           f.following, f.followed_at, f.how, f.last_at, f.last_id, o.erased_until
    FROM unnest(CAST(:openids AS text[])) AS p(openid)
    LEFT JOIN openids o ON o.appid = :appid AND o.openid = p.openid
    LEFT JOIN followers f ON f.appid = :appid AND f.openid = p.openid
    """
)

# ON CONFLICT DO UPDATE WHERE false: locks the row that is there, leaves it as it is, and does not
# return it.
_MEET = text(
    """
    INSERT INTO openids AS o (appid, openid, unionid, first_seen_at, last_seen_at,
                              resolve_state, resolve_reason, resolve_next_at, erased_until)
    SELECT :appid, openid, unionid, at, at,
           CASE WHEN unionid IS NULL THEN 'pending' ELSE 'resolved' END,
           CASE WHEN unionid IS NULL THEN 'not_bound' END,
           CASE WHEN unionid IS NULL THEN CAST(:next AS timestamptz) END, erased_until
    FROM unnest(CAST(:openids AS text[]), CAST(:unionids AS text[]),
                CAST(:times AS timestamptz[]), CAST(:untils AS timestamptz[]))
         AS t(openid, unionid, at, erased_until)
    ORDER BY openid
    ON CONFLICT (appid, openid) DO UPDATE SET openid = o.openid WHERE false
    RETURNING openid
    """
)

_UNMEET = text(
    "DELETE FROM openids WHERE appid = :appid AND openid = ANY(CAST(:openids AS text[]))"
)

_TOLD = """
    SELECT t.id, t.openid, t.action, t.at, t.scene, t.how, o.unionid
    FROM unnest(CAST(:ids AS uuid[]), CAST(:openids AS text[]), CAST(:actions AS text[]),
                CAST(:times AS timestamptz[]), CAST(:scenes AS text[]), CAST(:hows AS text[]))
         AS t(id, openid, action, at, scene, how)
    JOIN openids o ON o.appid = :appid AND o.openid = t.openid
"""

_EVENTS = text(
    f"""
    WITH told AS ({_TOLD})
    INSERT INTO follow_events (id, appid, openid, unionid, action, scene, occurred_at, source)
    SELECT id, :appid, openid, unionid, action, scene, at, 'sync' FROM told ORDER BY id
    """  # noqa: S608 - a constant of this module
)

_STATES = text(
    f"""
    WITH told AS ({_TOLD}), state AS (
        SELECT openid, max(unionid) AS unionid, bool_or(action = 'follow') AS following,
               max(at) AS last_at,
               (array_agg(id ORDER BY id DESC))[1] AS last_id,
               max(at) FILTER (WHERE action = 'follow') AS followed_at,
               (array_agg(id) FILTER (WHERE action = 'follow'))[1] AS followed_id,
               max(scene) AS scene, max(how) AS how,
               max(at) FILTER (WHERE action = 'unfollow') AS unfollowed_at
        FROM told GROUP BY openid
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

_EXPLAIN = text(
    """
    UPDATE followers f SET how = t.how
    FROM unnest(CAST(:openids AS text[]), CAST(:hows AS text[])) AS t(openid, how)
    WHERE f.appid = :appid AND f.openid = t.openid AND f.how IS NULL
    """
)
