"""Makes the next set of rules out of the present one, by compiling only what has changed.

Compiling a hundred thousand rules takes about a second. The changes of a large set are therefore
compiled as a layer of their own (see the package's docstring); once there are many of them,
everything is compiled again. Pure, except for log entries.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Final

import structlog

from app.rules.matching.compile_valid import skip_broken
from app.rules.matching.rule_set import Rule, RuleSet

FEW_RULES: Final = 1000
MAX_CHANGES: Final = 1000
MAX_LOGGED: Final = 20

Compile = Callable[[Iterable[Rule], int], RuleSet]
"""Compiles rules into a set of the given version, or raises."""

Changes = Mapping[int, Rule | None]
"""Rules by id; None for a rule that was deleted or switched off."""

log = structlog.get_logger(__name__)


def compile_all(rules: Sequence[Rule], version: int, compile_set: Compile) -> RuleSet | None:
    """Compile rules into a set; rules that do not compile by themselves are in its `left_out`.

    None if the others do not compile either.
    """
    compiled = skip_broken(rules, partial(_try_compile, version, compile_set))
    if isinstance(compiled, str):
        return None
    return replace(compiled.rules, left_out=tuple(rule.id for rule in compiled.broken))


def apply_changes(
    rules: RuleSet, changes: Changes, version: int, compile_set: Compile
) -> RuleSet | None:
    """Return the set after some changes; None if it does not compile.

    A small set, or one of which more than half has changed, is compiled as a whole.
    """
    still_left_out = tuple(rule_id for rule_id in rules.left_out if rule_id not in changes)
    merged = {**rules.changes, **changes}
    if not merged:
        return replace(rules, version=version)
    if not is_large(rules) or len(merged) > rules.count // 2:
        compiled = compile_all(_all(rules, changes), version, compile_set)
    else:
        compiled = _with_newer_layer(rules, merged, version, compile_set)
    if compiled is None:
        return None
    return replace(compiled, left_out=still_left_out + compiled.left_out)


def is_large(rules: RuleSet) -> bool:
    """Tell whether compiling the whole set takes noticeably longer than compiling its changes."""
    return rules.count > FEW_RULES


def is_due(rules: RuleSet) -> bool:
    """Tell whether so many rules have changed that the whole set should be compiled again."""
    return len(rules.changes) > MAX_CHANGES


def recompile(rules: RuleSet, compile_set: Compile) -> RuleSet | None:
    """Compile the whole set again, into one layer; None if it does not compile."""
    return compile_all(_all(rules, {}), rules.version, compile_set)


def replay_missed(
    rebuilt: RuleSet, before: RuleSet, now: RuleSet, compile_set: Compile
) -> RuleSet | None:
    """Apply to a recompiled set the changes that were served while it was compiled.

    rebuilt: recompiled from `before`. now: the set that is served by now. None if the result does
    not compile.
    """
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


def _with_newer_layer(
    rules: RuleSet, changes: dict[int, Rule | None], version: int, compile_set: Compile
) -> RuleSet | None:
    newer = compile_all(
        [rule for rule in changes.values() if rule is not None], version, compile_set
    )
    if newer is None:
        return None
    replaced = sum(map(rules.base.holds, changes))
    return replace(
        newer,
        count=len(rules.base.ranked) - replaced + newer.count,
        base=rules.base,
        # A changed rule that does not compile hides its old version in the base, too.
        changes=changes | dict.fromkeys(newer.left_out),
        newer=newer.base,
    )


def _all(rules: RuleSet, changes: Changes) -> list[Rule]:
    merged = {**rules.changes, **changes}
    kept = [rule for rule in rules.base.ranked if rule.id not in merged]
    return kept + [rule for rule in merged.values() if rule is not None]


def _try_compile(version: int, compile_set: Compile, rules: Sequence[Rule]) -> RuleSet | str:
    try:
        return compile_set(rules, version)
    except Exception as error:
        # Any exception: whatever an operator's rule does to the compiler, callbacks must go on.
        ids = [rule.id for rule in rules[:MAX_LOGGED]]
        log.exception("rules.not_compiled", version=version, rule_ids=ids)
        return str(error)
