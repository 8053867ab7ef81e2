"""Writes what `user/info/batchget` returned, in the caller's transaction.

`identity` is called first and then `events`, so that locks are taken in the same order as by the
inbox: openids by key, then follow_events and followers. The transaction that holds the openids rows
decides about the other rows; therefore the stored state is read again once they are locked.
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
from app.identity import openid_store, remarks
from app.identity.models import UnionIdSource
from app.identity.remarks import Remark
from app.identity.unionid_store import ASK_UNBOUND_AGAIN, UnionIdResult
from app.tombstones.people import Tombstone
from app.unionid_resolution.erased_unionids import without_unionid
from app.unionid_resolution.jobs import resolve_job
from app.unionid_resolution.record import record_unionids
from app.wechat.api_responses import UserInfo

Tombstones = Mapping[str, Tombstone]
# Is called with (session, appid, unfollows, time) in the transaction that records the unfollows.
OnUnfollows = Callable[[AsyncSession, str, Sequence[NewEvent], datetime], Awaitable[None]]


async def apply(
    session: AsyncSession,
    appid: str,
    calls: Sequence[UserInfoBatch],
    now: datetime,
    *,
    tombstones: Tombstones,
    on_unfollows: OnUnfollows,
) -> tuple[int, int]:
    """Write what the calls returned and is not stored yet; return (follows, unfollows) written.

    Nothing is locked or written when nothing is new. tombstones: of these people, by OpenID, read
    in this transaction: data from before an erasure is not stored again.
    """
    openids = [openid for call in calls for openid in call.openids]
    told = {
        str(info.openid): remark
        for call in calls
        for info in call.infos
        if (remark := Remark.of(info)) is not None
    }
    changes = changes_of(await _known(session, appid, openids, tombstones), calls)
    if not changes.openids:
        await remarks.record(session, appid, told)
        return 0, 0
    await _upsert_people(session, appid, changes, now, tombstones)
    await remarks.record(session, appid, told)
    changes = changes_of(await _known(session, appid, changes.openids, tombstones), calls)
    await _record_unionids(session, appid, changes.unionid_results, now, tombstones)
    await sync_store.add_found(session, appid, [_found(event) for event in changes.events])
    hows = [(info.openid, info.subscribe_scene) for info in changes.how_only]
    await sync_store.set_how(session, appid, hows)
    unfollows = [event for event in changes.events if event.action is FollowAction.UNFOLLOW]
    if unfollows:
        await on_unfollows(session, appid, unfollows, now)
    return len(changes.events) - len(unfollows), len(unfollows)


async def _known(
    session: AsyncSession, appid: str, openids: Sequence[str], tombstones: Tombstones
) -> dict[str, KnownFollower]:
    found = await session.execute(_KNOWN, {"appid": appid, "openids": list(openids)})
    return {
        row.openid: _with_tombstone(KnownFollower(*row), tombstones.get(row.openid))
        for row in found
    }


def _with_tombstone(person: KnownFollower, tombstone: Tombstone | None) -> KnownFollower:
    if tombstone is None:
        return person
    until = max(tombstone.until, person.erased_until or tombstone.until)
    return replace(person, erased_until=until, identity_erased=tombstone.identity_erased)


async def _upsert_people(
    session: AsyncSession, appid: str, changes: Changes, now: datetime, tombstones: Tombstones
) -> None:
    """Add new people, with their UnionIDs, and lock the rows of the others, in order of OpenIDs.

    For a person who is added with a UnionID the database adds a row to `identity_events`: the
    trigger `oa_bridge_identity_inserted` on `openids` calls `oa_bridge_identity_learned`.
    """
    infos = {str(info.openid): info for info in changes.new_people}
    people = [
        _listed(openid, infos.get(openid), now, tombstones.get(openid))
        for openid in changes.openids
    ]
    added = await openid_store.add_listed(
        session, appid, people, ask_again_at=now + ASK_UNBOUND_AGAIN
    )
    # These existed when the changes were computed, and were erased since: do not add them again.
    just_erased = [(appid, openid) for openid in added if openid not in infos]
    await openid_store.delete(session, just_erased)


def _listed(
    openid: str, info: UserInfo | None, now: datetime, tombstone: Tombstone | None
) -> openid_store.ListedOpenId:
    erased_until = None if tombstone is None else tombstone.until
    if info is None:
        return openid_store.ListedOpenId(openid, None, now, erased_until)
    seen_at = info.subscribe_time or now
    return openid_store.ListedOpenId(openid, info.unionid, seen_at, erased_until)


async def _record_unionids(
    session: AsyncSession,
    appid: str,
    infos: Sequence[UserInfo],
    now: datetime,
    tombstones: Tombstones,
) -> None:
    if not infos:
        return
    found = [
        UnionIdResult(appid, info.openid, info.unionid)
        if info.unionid is not None
        else UnionIdResult(appid, info.openid, None, "not_bound", now + ASK_UNBOUND_AGAIN)
        for info in infos
    ]
    results = [without_unionid(result, tombstones.get(result.openid)) for result in found]
    recorded = await record_unionids(session, results, source=UnionIdSource.USER_INFO, now=now)
    await enqueue(session, [resolve_job(woken) for woken in recorded.woken])


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
