"""Writes what a call told, in the caller's transaction.

`identity` is called first, and then `events`, so that locks are taken in the inbox's order: openids
by key, then follow_events and followers. The transaction that holds the openids rows decides about
the rest, so what is known is read again once they are locked.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.queue import enqueue
from app.events import sync_store
from app.events.models import FollowAction
from app.follower_sync.diff import Changes, KnownFollower, NewEvent, UserInfoBatch, changes_of
from app.identity import openid_store
from app.identity.models import UnionIdSource
from app.identity.unionid_store import ASK_UNBOUND_AGAIN, UnionIdResult
from app.tombstones.people import Tombstone
from app.unionid_resolution.erased_unionids import without_unionid
from app.unionid_resolution.jobs import resolve_job
from app.unionid_resolution.record import record_unionids
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
    await sync_store.add_found(session, appid, [_found(event) for event in changes.events])
    explained = [(info.openid, info.subscribe_scene) for info in changes.explained]
    await sync_store.set_how(session, appid, explained)
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
    return replace(person, erased_until=until, identity_erased=gone.identity_erased)


async def _upsert_people(
    session: AsyncSession, appid: str, changes: Changes, now: datetime, gone: Tombstones
) -> None:
    """Add the people we had not met, UnionID and all; lock the others. In one order.

    For a person who is added with a UnionID the database adds a row to `identity_events`: the
    trigger `oa_bridge_identity_inserted` on `openids` calls `oa_bridge_identity_learned`.
    Whoever was known a moment ago and has been erased since is not added anew.
    """
    infos = {str(info.openid): info for info in changes.unmet}
    people = [
        _listed(openid, infos.get(openid), now, gone.get(openid)) for openid in changes.openids
    ]
    added = await openid_store.add_listed(
        session, appid, people, ask_again_at=now + ASK_UNBOUND_AGAIN
    )
    just_erased = [(appid, openid) for openid in added if openid not in infos]
    await openid_store.delete(session, just_erased)


def _listed(
    openid: str, info: UserInfo | None, now: datetime, gone: Tombstone | None
) -> openid_store.ListedOpenId:
    erased_until = None if gone is None else gone.until
    if info is None:
        return openid_store.ListedOpenId(openid, None, now, erased_until)
    seen_at = info.subscribe_time or now
    return openid_store.ListedOpenId(openid, info.unionid, seen_at, erased_until)


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


def _found(event: NewEvent) -> sync_store.FoundEvent:
    return sync_store.FoundEvent(
        event.id, event.openid, event.action, event.occurred_at, event.scene, event.how
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
