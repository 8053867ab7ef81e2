"""Rules that are switched off, as explanations take them."""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.rules import store
from app.rules.engine import Rule
from app.rules.models import RuleRow
from app.rules.schemas import BrokenRule

MOST_READ: Final = 1000


@dataclass(frozen=True, slots=True)
class SwitchedOff:
    """Up to 1,000 rules by id. broken: rows that are no rules. more: how many were not read."""

    rules: tuple[Rule, ...]
    broken: tuple[BrokenRule, ...]
    more: int


async def read_switched_off(session: AsyncSession) -> SwitchedOff:
    """Read rules that are switched off."""
    rows = await session.scalars(
        select(RuleRow).where(~RuleRow.enabled).order_by(RuleRow.id).limit(MOST_READ)
    )
    found = [store.out(row) for row in rows]
    count = await session.scalar(select(func.count()).where(~RuleRow.enabled))
    return SwitchedOff(
        tuple(store.rule_of(rule.id, rule) for rule in found if not isinstance(rule, BrokenRule)),
        tuple(rule for rule in found if isinstance(rule, BrokenRule)),
        (count or 0) - len(found),
    )
