"""SQL of the days of pushes that are counted."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any, Final

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.datacube.models import PushDay

_COLUMNS: Final = PushDay.__table__.columns.keys()


async def save(session: AsyncSession, found: PushDay) -> None:
    """Store a day in place of what was counted before.

    A figure that an erasure or the retention lowers meanwhile keeps its greater value.
    """
    new = insert(PushDay).values({name: getattr(found, name) for name in _COLUMNS})
    kept = {"appid", "day"}
    changed: dict[str, Any] = {name: new.excluded[name] for name in _COLUMNS if name not in kept}
    changed["qr_follows"] = func.greatest(PushDay.qr_follows, new.excluded.qr_follows)
    changed["refused"] = func.greatest(PushDay.refused, new.excluded.refused)
    await session.execute(new.on_conflict_do_update(index_elements=["appid", "day"], set_=changed))


async def before(
    session: AsyncSession, appids: Sequence[str], day: date, most: int
) -> Mapping[str, Sequence[PushDay]]:
    """Return up to `most` days right before a day, by account, the latest first."""
    rows = await session.scalars(
        select(PushDay)
        .where(
            PushDay.appid.in_(appids),
            PushDay.day < day,
            PushDay.day >= day - timedelta(days=most),
        )
        .order_by(PushDay.appid, PushDay.day.desc())
    )
    found: defaultdict[str, list[PushDay]] = defaultdict(list)
    for row in rows:
        found[row.appid].append(row)
    return found
