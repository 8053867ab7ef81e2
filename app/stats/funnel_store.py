"""Reads the figures of the funnel: from the sums where they fit, else from the touches."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.funnel.derive_sql import COUNTED, ESTIMATED
from app.funnel.models import FunnelProgress
from app.funnel.progress import sums_basis
from app.funnel.steps import Basis, DoorKind, kind_prefix, total_door
from app.stats import funnel_sql
from app.stats.date_range import DateRange

MAX_DOORS: Final = 100

Numbers = dict[str, int]


@dataclass(slots=True)
class Counts:
    """By step: how often it was reached, and by how many people.

    times also has opened_estimated and converted_estimated.
    """

    times: Numbers = field(default_factory=dict)
    people: Numbers = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FunnelWanted:
    """What is asked for. door: one door of the kind, by its id; empty: all of them together.

    campaign: the id of the campaign to which alone touches have to belong; empty: any or none.
    with_doors: whether each door of the kind is wanted too.
    """

    appids: Sequence[str]
    date_range: DateRange
    basis: Basis
    kind: DoorKind
    door: str = ""
    campaign: str = ""
    with_doors: bool = True

    @property
    def total_door(self) -> str:
        """The door of which the total is."""
        return total_door(self.kind, self.door, self.campaign)

    @property
    def prefix(self) -> str:
        """How the names of the doors of the kind begin; the id follows."""
        return kind_prefix(self.kind, self.campaign)

    @property
    def _lists_doors(self) -> bool:
        return self.with_doors and not self.door and self.kind is not DoorKind.ACCOUNT

    @property
    def parameters(self) -> dict[str, object]:
        """Return it as parameters of SQL statements."""
        days = self.date_range
        return {
            "appids": list(self.appids),
            "since": days.since,
            "until": days.until,
            "earliest": days.earliest,
            "latest": days.latest,
            "door": self.total_door,
            "kind": self.prefix,
            # The character after the colon.
            "kind_end": f"{self.prefix[:-1]};" if self._lists_doors else "",
            "most": MAX_DOORS,
            **self.basis.parameters,
        }


@dataclass(slots=True)
class FunnelFigures:
    """The total, each day with anything, the doors with the most, and how many doors there are."""

    total: Counts
    days: Mapping[date, Counts]
    doors: Mapping[str, Counts]
    all_doors: int


async def read(session: AsyncSession, wanted: FunnelWanted) -> FunnelFigures:
    """Return the figures, read from the sums if they are made by the same basis."""
    if await _has_sums(session, wanted.basis):
        figures = await _from_sums(session, wanted)
        # Sums are read by several statements, and a worker may make others between two of them.
        if await _has_sums(session, wanted.basis):
            return figures
    return await read_slowly(session, wanted)


async def counted_until(session: AsyncSession) -> datetime | None:
    """Return up to which time pushes are counted; None: none are yet."""
    return await session.scalar(select(FunnelProgress.counted_until))


async def _has_sums(session: AsyncSession, basis: Basis) -> bool:
    present = select(FunnelProgress).execution_options(populate_existing=True)
    return sums_basis((await session.scalars(present)).one()) == basis


async def _from_sums(session: AsyncSession, wanted: FunnelWanted) -> FunnelFigures:
    bound = wanted.parameters
    await session.execute(funnel_sql.PLAN_FOR_THESE)
    found = await session.execute(funnel_sql.DAYS, bound)
    days = {row.day: _counts(dict(row._mapping)) for row in found}
    total = Counts({name: sum(one.times[name] for one in days.values()) for name in _TIMES})
    doors: dict[str, Counts] = {}
    all_doors = 0
    for row in await session.execute(funnel_sql.DOORS, bound):
        doors[row.door] = Counts({name: int(row._mapping[name]) for name in _TIMES})
        all_doors = row.all_doors
    asked = {**bound, "doors": [wanted.total_door, *doors]}
    for counts in (total, *doors.values()):
        counts.people = dict.fromkeys(COUNTED, 0)
    for row in await session.execute(funnel_sql.PEOPLE, asked):
        counts = total if row.door == wanted.total_door else doors[row.door]
        counts.people[row.step] = row.people
    return FunnelFigures(total, days, doors, all_doors)


async def read_total(session: AsyncSession, wanted: FunnelWanted, date_range: DateRange) -> Counts:
    """Return the total of other days alone."""
    other = replace(wanted, date_range=date_range, with_doors=False)
    return (await read(session, other)).total


async def read_slowly(session: AsyncSession, wanted: FunnelWanted) -> FunnelFigures:
    """Return the figures from the touches: exact by any basis."""
    bound = wanted.parameters
    days = {
        row.day: _counts(dict(row._mapping))
        for row in await session.execute(funnel_sql.SLOW_DAYS, bound)
    }
    total = Counts(dict.fromkeys(_TIMES, 0), dict.fromkeys(COUNTED, 0))
    doors: dict[str, Counts] = {}
    all_doors = 0
    for row in await session.execute(funnel_sql.SLOW_DOORS, bound):
        all_doors = row.all_doors
        if row.door == wanted.total_door:
            total = _counts(dict(row._mapping))
        elif len(doors) < MAX_DOORS:
            doors[row.door] = _counts(dict(row._mapping))
    return FunnelFigures(total, days, doors, all_doors)


_TIMES: Final = (*COUNTED, *ESTIMATED)


def _counts(row: Mapping[str, Any]) -> Counts:
    return Counts(
        {name: int(row[name]) for name in _TIMES},
        {name: int(row[f"{name}_people"]) for name in COUNTED},
    )
