"""SQL of syncs and of the people whom they have recorded."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.follower_sync.models import FollowerSync
from app.tombstones.subject import PREFIX


async def unfinished(session: AsyncSession, appid: str) -> FollowerSync | None:
    """Return the unfinished sync of an account, if there is one."""
    found: FollowerSync | None = await session.scalar(
        select(FollowerSync).where(FollowerSync.appid == appid, FollowerSync.finished_at.is_(None))
    )
    return found


async def begin(session: AsyncSession, appid: str, now: datetime) -> FollowerSync:
    """Start a sync; there must be no marks of an earlier one."""
    run = FollowerSync(appid=appid, started_at=now, total=0, asked=0, found=0, gone=0)
    session.add(run)
    await session.flush()
    return run


async def set_listed(session: AsyncSession, run_id: int, now: datetime) -> None:
    """Note that all listed people are recorded."""
    await _set(session, run_id, listed_at=now)


async def finish(session: AsyncSession, run_id: int, now: datetime) -> None:
    """End a sync."""
    await _set(session, run_id, finished_at=now, cursor=None)


async def delete_some_marks(session: AsyncSession, appid: str) -> bool:
    """Delete a bounded number of marks; return whether there were any."""
    found = await session.execute(
        text(
            """
            DELETE FROM follower_marks WHERE ctid = ANY(ARRAY(
                SELECT ctid FROM follower_marks WHERE appid = :appid LIMIT 50000
            ))
            RETURNING 1
            """
        ),
        {"appid": appid},
    )
    return found.first() is not None


async def _set(session: AsyncSession, run_id: int, **values: object) -> None:
    await session.execute(update(FollowerSync).where(FollowerSync.id == run_id).values(**values))


async def advance(
    session: AsyncSession,
    run_id: int,
    *,
    total: int,
    cursor: str | None,
    asked: int,
    found: int,
    gone: int,
) -> None:
    """Set the progress of a sync. cursor: None leaves it as it is."""
    values = {"total": total, "asked": asked, "found": found, "gone": gone}
    await _set(session, run_id, **values, **({} if cursor is None else {"cursor": cursor}))


async def unmarked(session: AsyncSession, appid: str, openids: Sequence[str]) -> list[str]:
    """Return those OpenIDs of a page that are not marked, in the order of the page."""
    found = await session.scalars(
        text(
            """
            SELECT p.openid FROM unnest(CAST(:openids AS text[])) WITH ORDINALITY AS p(openid, n)
            WHERE NOT EXISTS (
                SELECT FROM follower_marks m WHERE m.appid = :appid AND m.openid = p.openid
            )
            ORDER BY p.n
            """
        ),
        {"appid": appid, "openids": list(openids)},
    )
    return list(found)


async def mark(session: AsyncSession, appid: str, openids: Sequence[str]) -> None:
    """Mark these people as recorded."""
    await session.execute(
        text(
            """
            INSERT INTO follower_marks (appid, openid)
            SELECT :appid, openid FROM unnest(CAST(:openids AS text[])) AS p(openid)
            ORDER BY openid ON CONFLICT DO NOTHING
            """
        ),
        {"appid": appid, "openids": list(openids)},
    )


async def unlisted(
    session: AsyncSession, run: FollowerSync, after: str, limit: int
) -> Sequence[str]:
    """Return followers without a mark, in the order of OpenIDs, after `after`.

    Call it when all pages are recorded. Followers whose latest event is not before the start of the
    sync are left out.
    """
    found = await session.scalars(
        text(
            """
            SELECT f.openid FROM followers f
            WHERE f.appid = :appid AND f.openid > :after AND f.following
              AND f.last_at < :started_at AND f.openid NOT LIKE :erased || '%'
              AND NOT EXISTS (
                  SELECT FROM follower_marks m WHERE m.appid = f.appid AND m.openid = f.openid
              )
            ORDER BY f.openid LIMIT :limit
            """
        ),
        {
            "appid": run.appid,
            "after": after,
            "started_at": run.started_at,
            "erased": PREFIX,
            "limit": limit,
        },
    )
    return found.all()
