"""The rules of an answer of WeChat about its console, less those that could not be sent."""

from collections.abc import Sequence
from typing import Any

from app.rules.editing.check_replies import unsendable
from app.rules.importing.console import rules_from_console
from app.rules.importing.imported_rules import ImportedRules
from app.settings import Settings


def read_answer(
    answer: dict[str, Any], appid: str, settings: Settings
) -> tuple[ImportedRules, Sequence[str]]:
    """Return the rules, and one line for each thing that can't be imported.

    answer: of get_current_autoreply_info.
    """
    conversion = rules_from_console(answer, appid)
    kept = []
    for rule in conversion.rules:
        reasons = [reason for _, reason in unsendable(rule, settings.mini_programs)]
        if reasons:
            conversion.skip(rule.name, "; ".join(reasons))
        else:
            kept.append(rule)
    return ImportedRules.of(kept), conversion.skipped
