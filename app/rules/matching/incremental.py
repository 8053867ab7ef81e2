"""How a set of rules becomes the next one: by its changes alone wherever that is quicker.

Compiling all of a hundred thousand rules takes a second, so that changes are compiled by
themselves and laid over them. Once they are many, all is compiled again. Pure, but for the log.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final

import structlog

from app.rules.matching.rule_set import Rule, RuleSet

FEW_RULES: Final = 1000
MAX_CHANGES: Final = 1000
MAX_LOGGED: Final = 20

Compile = Callable[[Iterable[Rule], int], RuleSet]
Changes = Mapping[int, Rule | None]

log = structlog.get_logger(__name__)


def compile_all(rules: Sequence[Rule], version: int, compile_set: Compile) -> RuleSet | None:
    """Compile rules into a set; those that do not compile by themselves are left out.

    None if what remains does not compile either.
    """
    compiled = _compiled(rules, version, compile_set)
    if compiled is not None:
        return compiled
    sound = [rule for rule in rules if _compiled([rule], version, compile_set)]
    if len(sound) == len(rules):
        return None
    compiled = _compiled(sound, version, compile_set)
    kept = {rule.id for rule in sound}
    left_out = tuple(rule.id for rule in rules if rule.id not in kept)
    return None if compiled is None else replace(compiled, left_out=left_out)


def apply_changes(
    rules: RuleSet, changes: Changes, version: int, compile_set: Compile
) -> RuleSet | None:
    """Return a set with some changes; None if it does not compile."""
    known = tuple(rule_id for rule_id in rules.left_out if rule_id not in changes)
    merged = {**rules.changes, **changes}
    if not merged:
        return replace(rules, version=version)
    if not is_large(rules) or len(merged) > rules.count // 2:
        compiled = compile_all(_all(rules, changes), version, compile_set)
    else:
        compiled = _laid_over(rules, merged, version, compile_set)
    return None if compiled is None else replace(compiled, left_out=known + compiled.left_out)


def is_large(rules: RuleSet) -> bool:
    """Tell whether compiling all of a set takes noticeably longer than its changes."""
    return rules.count > FEW_RULES


def is_due(rules: RuleSet) -> bool:
    """Tell whether so much has changed that all should be compiled again."""
    return len(rules.changes) > MAX_CHANGES


def recompile(rules: RuleSet, compile_set: Compile) -> RuleSet | None:
    """Compile all of a set again; None if it does not compile."""
    return compile_all(_all(rules, {}), rules.version, compile_set)


def replay_missed(
    rebuilt: RuleSet, before: RuleSet, now: RuleSet, compile_set: Compile
) -> RuleSet | None:
    """Return the set that is served `now`, from what was rebuilt of it as it was `before`."""
    missed = {
        rule_id: rule
        for rule_id, rule in now.changes.items()
        if rule_id not in before.changes or before.changes[rule_id] is not rule
    }
    compiled = apply_changes(rebuilt, missed, now.version, compile_set)
    if compiled is None:
        return None
    left_out = tuple(dict.fromkeys((*now.left_out, *compiled.left_out)))
    return replace(compiled, left_out=left_out, newer_rejected=now.newer_rejected)


def _laid_over(
    rules: RuleSet, changes: dict[int, Rule | None], version: int, compile_set: Compile
) -> RuleSet | None:
    newer = compile_all(
        [rule for rule in changes.values() if rule is not None], version, compile_set
    )
    if newer is None:
        return None
    hidden = sum(map(rules.base.holds, changes))
    return replace(
        newer,
        count=len(rules.base.ranked) - hidden + newer.count,
        base=rules.base,
        changes=changes | dict.fromkeys(newer.left_out),
        newer=newer.base,
    )


def _all(rules: RuleSet, changes: Changes) -> list[Rule]:
    merged = {**rules.changes, **changes}
    kept = [rule for rule in rules.base.ranked if rule.id not in merged]
    return kept + [rule for rule in merged.values() if rule is not None]


def _compiled(rules: Sequence[Rule], version: int, compile_set: Compile) -> RuleSet | None:
    try:
        return compile_set(rules, version)
    except Exception:
        # Outermost: whatever one operator's rule does to the compiler, callbacks go on.
        ids = [rule.id for rule in rules[:MAX_LOGGED]]
        log.exception("rules.not_compiled", version=version, rule_ids=ids)
        return None
