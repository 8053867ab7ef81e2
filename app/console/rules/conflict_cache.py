"""The conflicts of the rules that this process serves, found once for each version of the rules."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from app.rules.background import background_work
from app.rules.conflicts import detect
from app.rules.conflicts.detect import Conflict
from app.rules.matching.rule_set import RuleSet
from app.settings import Settings

# Rules end with time, too.
MAX_AGE: Final = timedelta(minutes=1)
WAIT_SECONDS: Final = 0.05


class ConflictCache:
    """Finds conflicts beside the requests: thousands of rules take a second."""

    def __init__(self) -> None:
        self._found: tuple[int, datetime, Sequence[Conflict]] | None = None
        self._finding: asyncio.Task[None] | None = None

    async def find(
        self, rules: RuleSet, now: datetime, settings: Settings, *, wait: float | None
    ) -> Sequence[Conflict] | None:
        """Return the conflicts; None if they are not found yet.

        wait: for how many seconds to wait for them; None: until they are found.
        """
        if not self._is_fresh(rules, now):
            if self._finding is None or self._finding.done():
                self._finding = asyncio.create_task(self._find(rules, now, settings))
            await asyncio.wait([self._finding], timeout=wait)
            if wait is None and not self._is_fresh(rules, now):
                await self._find(rules, now, settings)
        fresh = self._is_fresh(rules, now)
        return self._found[2] if fresh and self._found is not None else None

    def _is_fresh(self, rules: RuleSet, now: datetime) -> bool:
        if self._found is None:
            return False
        version, found_at, _ = self._found
        return version == rules.version and now - found_at < MAX_AGE

    async def _find(self, rules: RuleSet, now: datetime, settings: Settings) -> None:
        with background_work():
            found = await asyncio.to_thread(
                lambda: list(detect.find(rules, now, settings.mini_programs))
            )
        self._found = rules.version, now, found
