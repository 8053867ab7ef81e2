"""What a mini-program's backend learnt at login. Source: protocol 8, UnionID rule 4."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from pydantic import SecretStr
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.queue import enqueue
from app.identity.models import UnionIdSource
from app.identity.schemas import Identity, Reported
from app.identity.unionid_store import UnionIdResult, record_unionids
from app.tombstones.people import Tombstone, erased_among
from app.unionid_resolution.erased_unionids import erased_by_unionid
from app.unionid_resolution.jobs import resolve_job
from app.wechat.ids import AccountOpenId

NEVER: Final = datetime.min.replace(tzinfo=UTC)

# A login that lies ahead would be an act after whatever is erased until it has come.
_SEEN = text(
    """
    INSERT INTO openids AS o (appid, openid, first_seen_at, last_seen_at, logged_in_at,
                              erased_until)
    SELECT appid, openid, :now, :now, LEAST(login, :now), until
    FROM unnest(CAST(:appids AS text[]), CAST(:openids AS text[]), CAST(:logins AS timestamptz[]),
                CAST(:untils AS timestamptz[])) AS t(appid, openid, login, until)
    ORDER BY appid, openid
    ON CONFLICT (appid, openid) DO UPDATE SET
        last_seen_at = GREATEST(o.last_seen_at, EXCLUDED.last_seen_at),
        logged_in_at = GREATEST(o.logged_in_at, EXCLUDED.logged_in_at)
    RETURNING appid, openid, o.xmax = 0 AS new
    """
)

_HERE = text(
    """
    SELECT appid, openid FROM openids
    JOIN unnest(CAST(:appids AS text[]), CAST(:openids AS text[])) AS p(appid, openid)
    USING (appid, openid)
    """
)

_UNSEE = text(
    """
    DELETE FROM openids USING unnest(CAST(:appids AS text[]), CAST(:openids AS text[]))
                              AS p(appid, openid)
    WHERE openids.appid = p.appid AND openids.openid = p.openid
    """
)


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
    passed_over |= away - await _here(session, away)
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
    untils = [erased.get((one.appid, one.openid)) for one in identities]
    found = await session.execute(
        _SEEN,
        {
            "appids": [one.appid for one in identities],
            "openids": [one.openid for one in identities],
            "logins": [one.logged_in_at for one in identities],
            "untils": [until and until.until for until in untils],
            "now": now,
        },
    )
    new = {(appid, openid) for appid, openid, is_new in found if is_new}
    just_erased = new & _away(identities, erased)
    if just_erased:
        await session.execute(_UNSEE, _columns(just_erased))
    return new


def _away(
    identities: Sequence[Identity], erased: Mapping[AccountOpenId, Tombstone]
) -> set[AccountOpenId]:
    """Return those who are erased, and have not logged in since as far as is told here."""
    back = {
        (one.appid, one.openid)
        for one in identities
        if _logged_in_since(one, erased.get((one.appid, one.openid)))
    }
    return {known for known, one in erased.items() if one.wholly} - back


async def _here(session: AsyncSession, people: set[AccountOpenId]) -> set[AccountOpenId]:
    """Return those who are known: they have done something since."""
    if not people:
        return set()
    return {(appid, openid) for appid, openid in await session.execute(_HERE, _columns(people))}


def _columns(people: set[AccountOpenId]) -> dict[str, list[str]]:
    known = sorted(people)
    return {
        "appids": [appid for appid, _ in known],
        "openids": [openid for _, openid in known],
    }


def _logged_in_since(identity: Identity, erased: Tombstone | None) -> bool:
    return (
        erased is not None
        and identity.logged_in_at is not None
        and identity.logged_in_at > erased.until
    )
