"""Finds the rules in use that open a mini-program which is not configured.

Such a rule is refused when it is saved. One that was saved before MINI_PROGRAM_APPIDS or
ACCOUNTS_FILE changed stays, and WeChat refuses what it sends (40166).
"""

import asyncio
import weakref
from collections.abc import Collection

from app.rules.background import background_work
from app.rules.definition.mini_programs import unknown_mini_program
from app.rules.matching.rule_set import RuleSet


class MiniProgramCheck:
    """Looks at each set of rules once, since readiness is asked often.

    known: AppIDs of the mini-programs that may be opened; empty: any.
    """

    def __init__(self, known: Collection[str]) -> None:
        self._known = known
        self._seen: weakref.ref[RuleSet] | None = None
        self._found: dict[int, str] = {}

    async def find(self, rules: RuleSet | None) -> dict[int, str]:
        """Return the ids of such rules, best first, with the first such AppID of each."""
        if rules is None or not self._known:
            return {}
        if self._seen is None or self._seen() is not rules:
            with background_work():
                self._found = await asyncio.to_thread(self._look, rules)
            self._seen = weakref.ref(rules)
        return self._found

    def _look(self, rules: RuleSet) -> dict[int, str]:
        opened = (
            (rule.id, unknown_mini_program(rule.replies, self._known)) for rule in rules.ranked
        )
        return {rule_id: appid for rule_id, appid in opened if appid is not None}
