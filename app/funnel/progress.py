"""How far the funnel is counted, and by what its sums are made: the row of `funnel_progress`."""

from dataclasses import dataclass
from typing import Final

from sqlalchemy.ext.asyncio import AsyncSession

from app.funnel.models import FunnelProgress
from app.funnel.steps import Basis

PROGRESS: Final = 1
# Without sums any basis will do: they are made of what is stored.
_NO_SUMS: Final = Basis("UTC", 1, 1)


@dataclass(frozen=True, slots=True)
class Sums:
    """The sums that a change of touches is added to. made: False while they are being made."""

    basis: Basis
    made: bool = True

    @property
    def parameters(self) -> dict[str, object]:
        """Return it as parameters of an SQL statement that stores touches."""
        return {**self.basis.parameters, "made": self.made}


async def lock(session: AsyncSession) -> FunnelProgress:
    """Return the progress, locked until the end of the transaction."""
    return await session.get_one(FunnelProgress, PROGRESS, with_for_update=True)


async def lock_unless_locked(session: AsyncSession) -> FunnelProgress | None:
    """Return the progress, locked until the end of the transaction; None: another one has it."""
    return await session.get(FunnelProgress, PROGRESS, with_for_update={"skip_locked": True})


def sums_basis(progress: FunnelProgress) -> Basis | None:
    """Return by what the sums are made; None: they are not."""
    return _basis(progress.time_zone, progress.opened_days, progress.converted_days)


def making_basis(progress: FunnelProgress) -> Basis | None:
    """Return by what sums are being made; None: none are."""
    return _basis(
        progress.making_time_zone, progress.making_opened_days, progress.making_converted_days
    )


def sums_of(progress: FunnelProgress) -> Sums:
    """Return the sums that a change of touches is added to."""
    made = sums_basis(progress)
    making = making_basis(progress)
    if made is None and making is not None:
        return Sums(making, made=False)
    return Sums(made or _NO_SUMS)


def note_basis(progress: FunnelProgress, *, made: Basis | None, making: Basis | None) -> None:
    """Write by what the sums are made, and by what they are being made."""
    progress.time_zone = made.time_zone if made else None
    progress.opened_days = made.opened_days if made else None
    progress.converted_days = made.converted_days if made else None
    progress.making_time_zone = making.time_zone if making else None
    progress.making_opened_days = making.opened_days if making else None
    progress.making_converted_days = making.converted_days if making else None


def _basis(
    time_zone: str | None, opened_days: int | None, converted_days: int | None
) -> Basis | None:
    if time_zone is None or opened_days is None or converted_days is None:
        return None
    return Basis(time_zone, opened_days, converted_days)
