"""What a mini-program's backend learnt at login. Source: protocol 8, UnionID rule 4."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.queue import enqueue
from app.identity.models import UnionIdSource
from app.identity.openid_store import ReportedOpenId, add_reported, delete, known_among
from app.identity.unionid_store import UnionIdResult
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
    secret: SecretStr | None,
) -> Reported:
    """Take the reported UnionIDs over, and key every row of their OpenIDs.

    Whoever has been erased is known again by something of their own that came since, a push or a
    login, and not by a report alone: a backend may repeat what it has always known. That holds for
    an OpenID that was not known to be theirs, too. Of an OpenID that is told twice the latest login
    counts. secret: of the pseudonyms.
    """
    by_login = sorted(identities, key=lambda one: one.logged_in_at or NEVER)
    known = {(one.appid, one.openid): one for one in by_login}
    erased = await erased_among(session, secret, known)
    away = _away(identities, erased)
    told = {key: one.unionid for key, one in known.items()}
    passed_over = _away(identities, await erased_by_unionid(session, secret, told))
    passed_over |= away - await known_among(session, away)
    wanted = [one for key, one in known.items() if key not in passed_over]
    passed_over |= await _see(session, wanted, now, erased) & away
    answers = [
        UnionIdResult(one.appid, one.openid, one.unionid)
        for key, one in known.items()
        if key not in passed_over
    ]
    learnt = await record_unionids(session, answers, source=UnionIdSource.REPORT, now=now)
    await enqueue(session, [resolve_job(appid) for appid in learnt.woken])
    number = sum((one.appid, one.openid) in passed_over for one in identities)
    return Reported(received=len(identities), changed=learnt.changed, erased=number)


async def _see(
    session: AsyncSession,
    identities: Sequence[Identity],
    now: datetime,
    erased: Mapping[AccountOpenId, Tombstone],
) -> set[AccountOpenId]:
    """Add or lock the OpenIDs; return those that are new. Who is both new and erased goes again.

    Such a person was here a moment ago: an erasure has just ended.
    """
    people = [
        ReportedOpenId(one.appid, one.openid, one.logged_in_at, _erased_until(one, erased))
        for one in identities
    ]
    new = await add_reported(session, people, now)
    await delete(session, new & _away(identities, erased))
    return new


def _erased_until(identity: Identity, erased: Mapping[AccountOpenId, Tombstone]) -> datetime | None:
    tombstone = erased.get((identity.appid, identity.openid))
    return None if tombstone is None else tombstone.until


def _away(
    identities: Sequence[Identity], erased: Mapping[AccountOpenId, Tombstone]
) -> set[AccountOpenId]:
    """Return those who are erased, and have not logged in since as far as is told here."""
    back = {
        (one.appid, one.openid)
        for one in identities
        if _logged_in_since(one, erased.get((one.appid, one.openid)))
    }
    return {known for known, one in erased.items() if one.identity_erased} - back


def _logged_in_since(identity: Identity, erased: Tombstone | None) -> bool:
    return (
        erased is not None
        and identity.logged_in_at is not None
        and identity.logged_in_at > erased.until
    )
