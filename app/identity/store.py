"""SQL of OpenIDs and their UnionIDs."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Exists, and_, exists, select, tuple_, union, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.identity.models import OpenIdRow, ResolvePause, ResolveState, UnionIdChange

# Longer than any call: a worker that dies leaves its share to the next sweep after this.
LEASE = timedelta(seconds=60)


async def claim_due(session: AsyncSession, appid: str, now: datetime, limit: int) -> Sequence[str]:
    """Take up to `limit` OpenIDs that may be asked about now, for the time of a lease.

    Rows that another worker is taking are passed over. None while the account pauses.
    """
    due = (
        select(OpenIdRow.openid)
        .where(
            OpenIdRow.appid == appid,
            OpenIdRow.resolve_state == ResolveState.PENDING,
            OpenIdRow.resolve_next_at <= now,
            ~_pauses(appid, now),
        )
        .order_by(OpenIdRow.resolve_next_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .cte("due")  # read once: a plain subquery may be run again, and pass over what it locked
    )
    claimed = await session.scalars(
        update(OpenIdRow)
        .where(OpenIdRow.appid == appid, OpenIdRow.openid.in_(select(due.c.openid)))
        .values(
            resolve_attempts=OpenIdRow.resolve_attempts + 1,
            resolve_next_at=now + LEASE,
        )
        .returning(OpenIdRow.openid)
        .execution_options(synchronize_session=False)
    )
    return claimed.all()


async def release(
    session: AsyncSession, appid: str, openids: Sequence[str], *, ask_again_at: datetime
) -> None:
    """Give claimed OpenIDs back unanswered."""
    await session.execute(
        update(OpenIdRow)
        .where(
            OpenIdRow.appid == appid,
            OpenIdRow.openid.in_(openids),
            OpenIdRow.resolve_state == ResolveState.PENDING,
        )
        .values(resolve_next_at=ask_again_at)
    )


async def pause(session: AsyncSession, appid: str, until: datetime) -> None:
    """Ask about nobody of an account until then: what one call was refused, every call will be."""
    new = insert(ResolvePause).values(appid=appid, until=until)
    await session.execute(
        new.on_conflict_do_update(
            index_elements=[ResolvePause.appid], set_={"until": new.excluded.until}
        )
    )


def _pauses(appid: str, now: datetime) -> Exists:
    return exists().where(ResolvePause.appid == appid, ResolvePause.until > now)


async def has_due(session: AsyncSession, appid: str, now: datetime) -> bool:
    """Tell whether an account has OpenIDs to ask about now."""
    found: bool | None = await session.scalar(
        select(
            exists().where(
                OpenIdRow.appid == appid,
                OpenIdRow.resolve_state == ResolveState.PENDING,
                OpenIdRow.resolve_next_at <= now,
                ~_pauses(appid, now),
            )
        )
    )
    return bool(found)


async def of_openid(session: AsyncSession, appid: str, openid: str) -> OpenIdRow | None:
    """Return what is known of one person at one account."""
    return await session.get(OpenIdRow, (appid, openid))


async def of_unionid(session: AsyncSession, unionid: str, limit: int) -> Sequence[OpenIdRow]:
    """Return one person at every account, at most `limit` of them.

    OpenIDs that had this UnionID before it changed belong to the person too.
    """
    theirs = union(
        select(OpenIdRow.appid, OpenIdRow.openid).where(OpenIdRow.unionid == unionid),
        select(UnionIdChange.appid, UnionIdChange.openid).where(
            UnionIdChange.old_unionid == unionid
        ),
    ).subquery()
    found = await session.scalars(
        select(OpenIdRow)
        .join(theirs, and_(OpenIdRow.appid == theirs.c.appid, OpenIdRow.openid == theirs.c.openid))
        .order_by(OpenIdRow.appid, OpenIdRow.openid)
        .limit(limit)
    )
    return found.all()


async def former_unionids(
    session: AsyncSession, rows: Sequence[OpenIdRow]
) -> dict[tuple[str, str], list[str]]:
    """Return the UnionIDs that these OpenIDs had before, the latest first, by OpenID.

    Each once, and never the present one, which an OpenID may have come back to.
    """
    present = {(row.appid, row.openid): row.unionid for row in rows}
    found = await session.execute(
        select(UnionIdChange.appid, UnionIdChange.openid, UnionIdChange.old_unionid)
        .where(tuple_(UnionIdChange.appid, UnionIdChange.openid).in_(list(present)))
        .order_by(UnionIdChange.id.desc())
    )
    former: dict[tuple[str, str], list[str]] = {}
    for appid, openid, unionid in found:
        known = former.setdefault((appid, openid), [])
        if unionid not in known and unionid != present[appid, openid]:
            known.append(unionid)
    return former
