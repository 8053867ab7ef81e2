"""SQL of OpenIDs and their UnionIDs."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import exists, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.identity.models import OpenIdRow, ResolveState

# Longer than any call: a worker that dies leaves its share to the next sweep after this.
LEASE = timedelta(seconds=60)
# Tables whose rows carry the UnionID of their OpenID.
KEYED_TABLES = ("follow_events", "subscription_events")


@dataclass(frozen=True, slots=True)
class Answer:
    """What WeChat said about one OpenID.

    unionid: None with a reason. ask_again_at: None when asking again makes no sense.
    """

    openid: str
    unionid: str | None
    reason: str | None = None
    ask_again_at: datetime | None = None


async def claim_due(session: AsyncSession, appid: str, now: datetime, limit: int) -> Sequence[str]:
    """Take up to `limit` OpenIDs that may be asked about now, for the time of a lease.

    Rows that another worker is taking are passed over.
    """
    due = (
        select(OpenIdRow.openid)
        .where(
            OpenIdRow.appid == appid,
            OpenIdRow.resolve_state == ResolveState.PENDING,
            OpenIdRow.resolve_next_at <= now,
        )
        .order_by(OpenIdRow.resolve_next_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    claimed = await session.scalars(
        update(OpenIdRow)
        .where(OpenIdRow.appid == appid, OpenIdRow.openid.in_(due))
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


async def record(session: AsyncSession, appid: str, answers: Sequence[Answer]) -> None:
    """Record answers and key every row of the resolved OpenIDs, all in this transaction.

    The openids row is locked first, as the inbox does it: an event that is being stored at the
    same moment either sees the UnionID or is keyed here.
    """
    columns = {
        "appid": appid,
        "openids": [answer.openid for answer in answers],
        "unionids": [answer.unionid for answer in answers],
        "reasons": [answer.reason for answer in answers],
        "nexts": [answer.ask_again_at for answer in answers],
    }
    await session.execute(_RECORD, columns)
    for table in KEYED_TABLES:
        await session.execute(text(_KEY.format(table=table)), columns_of(answers, appid))


_RECORD = text(
    """
    WITH locked AS (
        SELECT o.openid, a.unionid, a.reason, a.next
        FROM unnest(CAST(:openids AS text[]), CAST(:unionids AS text[]),
                    CAST(:reasons AS text[]), CAST(:nexts AS timestamptz[]))
             AS a(openid, unionid, reason, next)
        JOIN openids o ON o.appid = :appid AND o.openid = a.openid
        ORDER BY o.appid, o.openid
        FOR UPDATE OF o
    )
    UPDATE openids SET
        unionid = COALESCE(locked.unionid, openids.unionid),
        resolve_state = CASE WHEN COALESCE(locked.unionid, openids.unionid) IS NOT NULL
                             THEN 'resolved'
                             WHEN locked.next IS NULL THEN 'unavailable'
                             ELSE 'pending' END,
        resolve_reason = locked.reason,
        resolve_next_at = locked.next
    FROM locked WHERE openids.appid = :appid AND openids.openid = locked.openid
    """
)

_KEY = """
    UPDATE {table} SET unionid = a.unionid
    FROM unnest(CAST(:openids AS text[]), CAST(:unionids AS text[])) AS a(openid, unionid)
    WHERE {table}.appid = :appid AND {table}.openid = a.openid AND {table}.unionid IS NULL
"""


def columns_of(answers: Sequence[Answer], appid: str) -> dict[str, object]:
    """Return the arguments of _KEY: the resolved OpenIDs only."""
    resolved = [answer for answer in answers if answer.unionid is not None]
    return {
        "appid": appid,
        "openids": [answer.openid for answer in resolved],
        "unionids": [answer.unionid for answer in resolved],
    }


async def has_due(session: AsyncSession, appid: str, now: datetime) -> bool:
    """Tell whether an account has OpenIDs to ask about."""
    found: bool | None = await session.scalar(
        select(
            exists().where(
                OpenIdRow.appid == appid,
                OpenIdRow.resolve_state == ResolveState.PENDING,
                OpenIdRow.resolve_next_at <= now,
            )
        )
    )
    return bool(found)


async def of_openid(session: AsyncSession, appid: str, openid: str) -> OpenIdRow | None:
    """Return what is known of one person at one account."""
    return await session.get(OpenIdRow, (appid, openid))


async def of_unionid(session: AsyncSession, unionid: str, limit: int) -> Sequence[OpenIdRow]:
    """Return one person at every account, at most `limit` of them."""
    found = await session.scalars(
        select(OpenIdRow)
        .where(OpenIdRow.unionid == unionid)
        .order_by(OpenIdRow.appid, OpenIdRow.openid)
        .limit(limit)
    )
    return found.all()
