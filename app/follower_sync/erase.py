"""SQL that erases a person from a sync that is under way."""

from sqlalchemy import delete, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.follower_sync.models import FollowerMark, FollowerSync
from app.tombstones.subject import ErasureSubject


async def erase(session: AsyncSession, person: ErasureSubject) -> int:
    """Delete the mark of one OpenID; return the number of marks.

    If the cursor is this OpenID, it is set to NULL: the sync then lists from the first page again
    and skips the people who are marked.
    """
    await session.execute(
        update(FollowerSync)
        .where(FollowerSync.appid == person.appid, FollowerSync.cursor == person.openid)
        .values(cursor=None)
    )
    erased = await session.scalars(
        delete(FollowerMark)
        .where(FollowerMark.appid == person.appid, FollowerMark.openid == person.openid)
        .returning(FollowerMark.openid)
    )
    return len(erased.all())
