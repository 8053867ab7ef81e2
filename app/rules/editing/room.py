"""How many rules there may be, and how large. Each web process has those that are on in memory.

With as much of everything, in letters that take the most memory, and an import that replaces it all
while conflicts are looked for and all is exported, a web process has less than 400 MB.
"""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import orjson
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.rules.definition.validation_errors import InvalidRequest, Problem
from app.rules.models import RulesVersion

MAX_RULES: Final = 10_000
MAX_ALL_KEYWORDS: Final = 50_000
MAX_ALL_BYTES: Final = 8 * 1024 * 1024

_RULES: Final = (
    "there would be {count} rules, and there may be {most}: delete rules that nobody needs, or "
    "make one rule with several keywords of those that answer the same"
)
_KEYWORDS: Final = (
    "the rules would have {count} keywords, and may have {most}: remove keywords that nobody "
    "needs, or replace those with a common part by that part"
)
_BYTES: Final = (
    "the rules would have {count} KiB, and may have {most}: shorten texts and keywords, or delete "
    "rules that nobody needs"
)
_STORED: Final = select(
    RulesVersion.rule_count, RulesVersion.keyword_count, RulesVersion.size_bytes
)


class Weight(NamedTuple):
    """What rules take. size: of their JSON, in bytes."""

    rules: int
    keywords: int
    size: int

    def plus(self, other: "Weight") -> "Weight":
        """Return what both take."""
        return Weight(*(mine + its for mine, its in zip(self, other, strict=True)))

    def minus(self, other: "Weight") -> "Weight":
        """Return how much more this is."""
        return Weight(*(mine - its for mine, its in zip(self, other, strict=True)))


NOTHING: Final = Weight(0, 0, 0)


class TooManyRules(InvalidRequest):
    """There would be more, or larger, rules than a web process has room for. msg: says which."""

    def __init__(self, msg: str) -> None:
        super().__init__([Problem(loc=["body"], msg=msg, type="too_many_rules")])


def weight_of(columns: Mapping[str, Any]) -> Weight:
    """Return the weight of one rule. columns: as `edit.columns` returns them."""
    trigger = columns["trigger"]
    keywords = trigger.get("keywords") if isinstance(trigger, Mapping) else None
    count = len(keywords) if isinstance(keywords, list | tuple) else 0
    return Weight(1, count, len(orjson.dumps(columns)))


def require_within(total: Weight, added: Weight) -> None:
    """Raise TooManyRules if something that has grown to `total` by `added` is too much.

    A set that is too large already, of an earlier release, may be changed but not grow.
    """
    if total.rules > MAX_RULES and added.rules > 0:
        raise TooManyRules(_RULES.format(count=total.rules, most=MAX_RULES))
    if total.keywords > MAX_ALL_KEYWORDS and added.keywords > 0:
        raise TooManyRules(_KEYWORDS.format(count=total.keywords, most=MAX_ALL_KEYWORDS))
    if total.size > MAX_ALL_BYTES and added.size > 0:
        count, most = -(-total.size // 1024), MAX_ALL_BYTES // 1024
        raise TooManyRules(_BYTES.format(count=count, most=most))


async def require_room(session: AsyncSession, added: Weight) -> None:
    """Raise TooManyRules unless there is room for so much more than is stored.

    Call it after `edit.begin`, so that no other change adds rules meanwhile.
    """
    if max(added) <= 0:
        return
    stored = Weight(*(await session.execute(_STORED)).one())
    require_within(stored.plus(added), added)
