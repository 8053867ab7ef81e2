"""Counts touches for campaigns that are new, changed or deleted, a day of touches at a time.

A transaction is short, since whoever changes the tables of this package waits for it.
"""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.funnel import campaign_sql
from app.funnel.progress import Sums

PART: Final = timedelta(days=1)


async def note_changes(session: AsyncSession) -> None:
    """Note which campaigns are other ones than those that were counted.

    New touches are counted by what is noted; earlier ones are counted again by `recount_some`.
    """
    for row in (await session.execute(text(campaign_sql.CHANGED))).all():
        await session.execute(text(campaign_sql.FORGET_DOORS), {"id": row.id})
        if row.revision is None:
            await session.execute(text(campaign_sql.NOTE_DELETED), {"id": row.id})
            continue
        await session.execute(text(campaign_sql.NOTE), dict(row._mapping))
        await session.execute(text(campaign_sql.NOTE_DOORS), {"id": row.id})


async def recount_some(session: AsyncSession, sums: Sums) -> bool:
    """Count a day of touches of one campaign again; return whether there was something to count."""
    due = (await session.execute(text(campaign_sql.DUE))).one_or_none()
    if due is None:
        return False
    appids = list(await session.scalars(text(campaign_sql.ACCOUNTS)))
    bound = {"appids": appids, "since": due.recount_from}
    first: datetime | None = await session.scalar(text(campaign_sql.NEXT), bound)
    if first is None or first >= due.recount_until:
        await session.execute(text(campaign_sql.END), {"id": due.id})
        await session.execute(text(campaign_sql.DELETE_GONE))
        return True
    until = min(first + PART, due.recount_until)
    await session.execute(
        text(campaign_sql.RECOUNT),
        {"appids": appids, "since": first, "until": until, **sums.parameters},
    )
    await session.execute(text(campaign_sql.GO_ON), {"id": due.id, "since": until})
    return True
