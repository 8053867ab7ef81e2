"""Records a login report of a mini-program's backend. Source: protocol 8, UnionID rule 4."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from sqlalchemy.ext.asyncio import AsyncSession

from app.db.queue import enqueue
from app.identity.models import UnionIdSource
from app.identity.openid_store import ReportedOpenId, add_reported, delete, known_among
from app.identity.unionid_store import UnionIdResult
from app.tombstones.erasure_secret import ErasureSecret
from app.tombstones.people import Tombstone, erased_among
from app.unionid_resolution.erased_unionids import erased_by_unionid
from app.unionid_resolution.jobs import resolve_job
from app.unionid_resolution.record import record_unionids
from app.unionid_resolution.schemas import Identity, Reported
from app.wechat.ids import AccountOpenId

NEVER: Final = datetime.min.replace(tzinfo=UTC)


async def report(
    session: AsyncSession,
    identities: Sequence[Identity],
    *,
    now: datetime,
    secret: ErasureSecret,
) -> Reported:
    """Record the reported UnionIDs and set them in every row of their OpenIDs.

    A UnionID that WeChat named stays, and the report counts as a conflict. Erased people are
    skipped, also if only the UnionID is erased, until they push something or log in after the
    erasure. If an OpenID is reported twice, the later login counts. secret: for the pseudonyms.
    """
    # A report alone does not make an erased person known again: a backend may repeat old data.
    by_login = sorted(identities, key=lambda one: one.logged_in_at or NEVER)
    known = {(one.appid, one.openid): one for one in by_login}
    tombstones = await erased_among(session, secret, known)
    erased = _still_erased(identities, tombstones)
    unionids = {key: one.unionid for key, one in known.items()}
    skipped = _still_erased(identities, await erased_by_unionid(session, secret, unionids))
    skipped |= erased - await known_among(session, erased)
    accepted = [one for key, one in known.items() if key not in skipped]
    skipped |= await _add(session, accepted, now, tombstones) & erased
    results = [
        UnionIdResult(one.appid, one.openid, one.unionid)
        for key, one in known.items()
        if key not in skipped
    ]
    recorded = await record_unionids(session, results, source=UnionIdSource.REPORT, now=now)
    await enqueue(session, [resolve_job(appid) for appid in recorded.woken])
    number = sum((one.appid, one.openid) in skipped for one in identities)
    return Reported(
        received=len(identities),
        changed=recorded.changed,
        conflicts=recorded.conflicts,
        erased=number,
    )


async def _add(
    session: AsyncSession,
    identities: Sequence[Identity],
    now: datetime,
    tombstones: Mapping[AccountOpenId, Tombstone],
) -> set[AccountOpenId]:
    """Add or lock the OpenIDs; return those that were added.

    An added OpenID that is still erased is deleted again: it existed before, and an erasure deleted
    it between the two statements.
    """
    people = [
        ReportedOpenId(one.appid, one.openid, one.logged_in_at, _erased_until(one, tombstones))
        for one in identities
    ]
    new = await add_reported(session, people, now)
    await delete(session, new & _still_erased(identities, tombstones))
    return new


def _erased_until(
    identity: Identity, tombstones: Mapping[AccountOpenId, Tombstone]
) -> datetime | None:
    tombstone = tombstones.get((identity.appid, identity.openid))
    return None if tombstone is None else tombstone.until


def _still_erased(
    identities: Sequence[Identity], tombstones: Mapping[AccountOpenId, Tombstone]
) -> set[AccountOpenId]:
    """Return the erased OpenIDs for which this report names no login after the erasure."""
    logged_in = {
        (one.appid, one.openid)
        for one in identities
        if _logged_in_since(one, tombstones.get((one.appid, one.openid)))
    }
    return {known for known, one in tombstones.items() if one.identity_erased} - logged_in


def _logged_in_since(identity: Identity, tombstone: Tombstone | None) -> bool:
    return (
        tombstone is not None
        and identity.logged_in_at is not None
        and identity.logged_in_at > tombstone.until
    )
