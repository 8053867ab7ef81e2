"""SQL of OpenIDs and their UnionIDs."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from sqlalchemy import (
    ColumnElement,
    Exists,
    and_,
    delete,
    exists,
    or_,
    select,
    text,
    tuple_,
    union,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.identity.models import CONFLICT, OpenIdRow, ResolvePause, ResolveState, UnionIdChange
from app.wechat_client.models import AccessToken

# Longer than any API call. If a worker dies, other workers can claim its OpenIDs after this time.
LEASE = timedelta(seconds=60)


async def claim_due(session: AsyncSession, appid: str, now: datetime, limit: int) -> Sequence[str]:
    """Claim up to `limit` OpenIDs that are due, for the time of LEASE; return them.

    Rows that another worker has locked are skipped. While the account pauses nothing is due.
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
        .cte("due")  # read once: a plain subquery may run again and skip what it locked
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


async def claim_conflicts(
    session: AsyncSession, appid: str, now: datetime, limit: int
) -> Sequence[str]:
    """Claim up to `limit` OpenIDs with a conflict of UnionIDs, for the time of LEASE."""
    due = (
        select(OpenIdRow.openid)
        .where(_is_due_conflict(appid, now), ~_pauses(appid, now))
        .order_by(OpenIdRow.resolve_next_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .cte("due")
    )
    claimed = await session.scalars(
        update(OpenIdRow)
        .where(OpenIdRow.appid == appid, OpenIdRow.openid.in_(select(due.c.openid)))
        .values(resolve_next_at=now + LEASE)
        .returning(OpenIdRow.openid)
        .execution_options(synchronize_session=False)
    )
    return claimed.all()


async def release(
    session: AsyncSession, appid: str, openids: Sequence[str], *, ask_again_at: datetime
) -> None:
    """Release claimed OpenIDs that got no answer; they are due again at `ask_again_at`."""
    await session.execute(
        update(OpenIdRow)
        .where(
            OpenIdRow.appid == appid,
            OpenIdRow.openid.in_(openids),
            or_(
                OpenIdRow.resolve_state == ResolveState.PENDING,
                OpenIdRow.resolve_reason == CONFLICT,
            ),
        )
        .values(resolve_next_at=ask_again_at)
    )


async def pause(
    session: AsyncSession, appid: str, since: datetime, until: datetime, *, by_token: bool
) -> None:
    """Pause an account: WeChat refused one call and would refuse the next one too.

    by_token: whether it refused the access token; then the next token ends the pause.
    """
    values = {"since": since, "until": until, "by_token": by_token}
    await session.execute(
        insert(ResolvePause)
        .values(appid=appid, **values)
        .on_conflict_do_update(index_elements=[ResolvePause.appid], set_=values)
    )


async def end_pauses(session: AsyncSession, now: datetime, *, everyone: bool) -> None:
    """End pauses, and make the OpenIDs due that were released until their end.

    everyone: of all accounts; else of those that got an access token after one was refused.
    """
    over = delete(ResolvePause).returning(ResolvePause.appid, ResolvePause.until)
    ended = (over if everyone else over.where(_token_came())).cte("ended")
    released = (
        select(OpenIdRow.appid, OpenIdRow.openid)
        .join(
            ended,
            and_(OpenIdRow.appid == ended.c.appid, OpenIdRow.resolve_next_at == ended.c.until),
        )
        .where(
            or_(
                OpenIdRow.resolve_state == ResolveState.PENDING,
                OpenIdRow.resolve_reason == CONFLICT,
            )
        )
        # All lock them in this order.
        .order_by(OpenIdRow.appid, OpenIdRow.openid)
        .with_for_update(of=OpenIdRow)
        .cte("released")
    )
    await session.execute(
        update(OpenIdRow)
        .where(OpenIdRow.appid == released.c.appid, OpenIdRow.openid == released.c.openid)
        .values(resolve_next_at=now)
        .execution_options(synchronize_session=False)
    )


async def paused_until(
    session: AsyncSession, appids: Collection[str], now: datetime
) -> dict[str, datetime]:
    """Return until when those of these accounts pause that do."""
    found = await session.execute(
        select(ResolvePause.appid, ResolvePause.until).where(
            ResolvePause.appid.in_(appids), _is_in_force(now)
        )
    )
    return {row.appid: row.until for row in found}


def _is_due_conflict(appid: str, now: datetime) -> ColumnElement[bool]:
    # The literal text lets Postgres use the partial index.
    return and_(
        OpenIdRow.appid == appid,
        OpenIdRow.resolve_next_at <= now,
        text(f"openids.resolve_reason = '{CONFLICT}'"),
    )


def _pauses(appid: str, now: datetime) -> Exists:
    return exists().where(ResolvePause.appid == appid, _is_in_force(now))


def _is_in_force(now: datetime) -> ColumnElement[bool]:
    return and_(ResolvePause.until > now, ~_token_came())


def _token_came() -> ColumnElement[bool]:
    newer = exists().where(
        AccessToken.appid == ResolvePause.appid, AccessToken.obtained_at > ResolvePause.since
    )
    return and_(ResolvePause.by_token, newer)


async def has_due(session: AsyncSession, appid: str, now: datetime) -> bool:
    """Return whether an account has OpenIDs that are due."""
    pending = exists().where(
        OpenIdRow.appid == appid,
        OpenIdRow.resolve_state == ResolveState.PENDING,
        OpenIdRow.resolve_next_at <= now,
    )
    conflict = exists().where(_is_due_conflict(appid, now))
    found: bool | None = await session.scalar(
        select(and_(or_(pending, conflict), ~_pauses(appid, now)))
    )
    return bool(found)


async def of_openid(session: AsyncSession, appid: str, openid: str) -> OpenIdRow | None:
    """Return one person at one account; None when the OpenID is unknown."""
    return await session.get(OpenIdRow, (appid, openid))


async def with_openid(
    session: AsyncSession, appids: Collection[str], openid: str
) -> Sequence[OpenIdRow]:
    """Return the rows of an OpenID at these accounts, by AppID."""
    found = await session.scalars(
        select(OpenIdRow)
        .where(OpenIdRow.appid.in_(appids), OpenIdRow.openid == openid)
        .order_by(OpenIdRow.appid)
    )
    return found.all()


async def of_unionid(session: AsyncSession, unionid: str, limit: int) -> Sequence[OpenIdRow]:
    """Return one person at all accounts, at most `limit` rows by AppID and OpenID.

    OpenIDs that had this UnionID before it changed belong to the person too.
    """
    keys = union(
        select(OpenIdRow.appid, OpenIdRow.openid).where(OpenIdRow.unionid == unionid),
        select(UnionIdChange.appid, UnionIdChange.openid).where(
            UnionIdChange.old_unionid == unionid
        ),
    ).subquery()
    found = await session.scalars(
        select(OpenIdRow)
        .join(keys, and_(OpenIdRow.appid == keys.c.appid, OpenIdRow.openid == keys.c.openid))
        .order_by(OpenIdRow.appid, OpenIdRow.openid)
        .limit(limit)
    )
    return found.all()


async def former_unionids(
    session: AsyncSession, rows: Sequence[OpenIdRow]
) -> dict[tuple[str, str], list[str]]:
    """Return the earlier UnionIDs by (AppID, OpenID), the latest first.

    Each UnionID is listed once; the present one is left out even if the OpenID had it before, too.
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
