"""SQL that lists followers, those that were seen first most recently at the top."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

from sqlalchemy import ARRAY, Boolean, Text, cast, func, select, true
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from app.events.models import Follower


@dataclass(frozen=True, slots=True)
class NewestQuery:
    """Which followers to list.

    following: None for both states. before: position of the last one of the page before; None for
    the first page. limit: at most so many.
    """

    appids: Sequence[str]
    following: bool | None
    before: int | None
    limit: int


async def newest_followers(session: AsyncSession, query: NewestQuery) -> Sequence[Follower]:
    """Return a page of followers by their position, the highest first.

    A person who follows again keeps the position. One who arrives while the list is read stands
    on the first page alone, so that no page shows anybody twice.
    """
    states = (True, False) if query.following is None else (query.following,)
    kinds = list(product(query.appids, states))
    # One range of the index for each account and state: Postgres reads only what a page may have.
    key = (
        func.unnest(
            cast([appid for appid, _ in kinds], ARRAY(Text)),
            cast([following for _, following in kinds], ARRAY(Boolean)),
        )
        .table_valued("appid", "following")
        .render_derived(name="key")
    )
    part = (
        select(Follower)
        .where(Follower.appid == key.c.appid, Follower.following == key.c.following)
        .order_by(Follower.position.desc())
        .limit(query.limit)
    )
    if query.before is not None:
        part = part.where(Follower.position < query.before)
    row = aliased(Follower, part.lateral("newest"))
    found = await session.scalars(
        select(row)
        .select_from(key.join(row, true()))
        .order_by(row.position.desc())
        .limit(query.limit)
    )
    return found.all()
