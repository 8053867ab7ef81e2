"""The order of the list of rules: that in which the matcher decides; see `matching.precedence`.

It follows from the triggers, which the database can't sort by. So the place of each revision is
computed once and kept; a page then takes the ids, revisions and priorities of the rules that the
filter lets through, and reads the rows of one page alone.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from heapq import nsmallest
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError
from sqlalchemy.ext.asyncio import AsyncSession

from app.rules import list_store
from app.rules.background import background_work
from app.rules.definition.triggers import AnyTrigger, Trigger
from app.rules.list_store import ListedKey, ListedRule, RuleFilter
from app.rules.matching.precedence import SortKey, place_of
from app.wechat.outbound import STORED

CHUNK: Final = 1000
# Of the revisions that were listed last; a set of rules seldom has more.
MAX_KEPT: Final = 200_000

_Place = tuple[bool, int, float]
_TRIGGER: Final[TypeAdapter[AnyTrigger]] = TypeAdapter(Trigger)
# A row that is not a valid rule answers nobody: it stands behind all others of its priority.
_INVALID: Final[_Place] = (False, 1_000, 0.0)


@dataclass(frozen=True, slots=True)
class ListPage:
    """A page of the list. next: key of its last rule; None on the last page."""

    rows: Sequence[ListedRule]
    next: SortKey | None


class ListOrder:
    """The places of the rules; one for each process."""

    def __init__(self) -> None:
        self._places: dict[int, tuple[int, _Place]] = {}

    async def page(
        self, session: AsyncSession, wanted: RuleFilter, *, after: SortKey | None, limit: int
    ) -> ListPage:
        """Return up to `limit` rules, best first. after: `next` of the page before."""
        keys = await list_store.find_keys(session, wanted)
        await self._learn(session, keys)
        with background_work():
            first = await asyncio.to_thread(self._first, keys, after, limit + 1)
        shown = first[:limit]
        rows = await list_store.listed(session, [key[-1] for key in shown])
        return ListPage(rows, shown[-1] if len(first) > limit else None)

    def _first(
        self, keys: Sequence[ListedKey], after: SortKey | None, limit: int
    ) -> Sequence[SortKey]:
        every = (self._sort_key(key) for key in keys)
        return nsmallest(limit, every if after is None else (key for key in every if key > after))

    def _sort_key(self, key: ListedKey) -> SortKey:
        is_fallback, specificity, length = self._places.get(key.id, (0, _INVALID))[1]
        return is_fallback, -key.priority, specificity, length, key.id

    async def _learn(self, session: AsyncSession, keys: Iterable[ListedKey]) -> None:
        """Compute the places of revisions that are new."""
        unknown = self._unknown(keys)
        if len(self._places) + len(unknown) > MAX_KEPT:
            self._places.clear()
            unknown = self._unknown(keys)
        for start in range(0, len(unknown), CHUNK):
            found = await list_store.triggers_of(session, unknown[start : start + CHUNK])
            rows = [(row.id, row.revision, row.trigger) for row in found]
            with background_work():
                self._places |= await asyncio.to_thread(_places, rows)

    def _unknown(self, keys: Iterable[ListedKey]) -> list[int]:
        return [
            key.id for key in keys if self._places.get(key.id, (0, _INVALID))[0] != key.revision
        ]


def _places(rows: Sequence[tuple[int, int, Any]]) -> Mapping[int, tuple[int, _Place]]:
    return {rule_id: (revision, _place(trigger)) for rule_id, revision, trigger in rows}


def _place(trigger: object) -> _Place:
    try:
        return place_of(_TRIGGER.validate_python(trigger, context=STORED))
    except ValidationError:
        return _INVALID
