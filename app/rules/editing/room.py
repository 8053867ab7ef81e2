"""How many rules there may be. Each web process has all that are on in memory."""

from typing import Final

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.rules.definition.validation_errors import InvalidRequest, Problem
from app.rules.models import RuleRow

MAX_RULES: Final = 20_000
"""With as many, and an import that replaces them all, a web process has less than 400 MB."""


class TooManyRules(InvalidRequest):
    """There would be more rules than a web process has room for. count: how many."""

    def __init__(self, count: int) -> None:
        msg = (
            f"there would be {count} rules, and there may be {MAX_RULES}: delete rules that "
            "nobody needs, or make one rule with several keywords of those that answer the same"
        )
        super().__init__([Problem(loc=["body"], msg=msg, type="too_many_rules")])


async def require_room(session: AsyncSession, added: int) -> None:
    """Raise TooManyRules unless there is room for so many further rules.

    Call it after `edit.begin`, so that no other change adds rules meanwhile. A set that is too
    large already, of an earlier release, may be changed as long as it does not grow.
    """
    if added <= 0:
        return
    present = await session.scalar(select(func.count()).select_from(RuleRow))
    count = (present or 0) + added
    if count > MAX_RULES:
        raise TooManyRules(count)
