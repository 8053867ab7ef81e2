"""Rules of which some may be none, or may not compile: those are left out, and named."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pydantic import BaseModel

from app.rules.definition.schemas import BrokenRule
from app.rules.matching.rule_set import Rule, RuleSet, compile_rules
from app.rules.text.regex import BadPattern


class UnusableRule(BaseModel):
    """A rule that is left out, because it does not compile or was changed outside this API."""

    id: int
    problem: str


@dataclass(frozen=True, slots=True)
class CompiledRules:
    """The set of the rules that compile, and what is wrong with the others."""

    rules: RuleSet
    broken: tuple[UnusableRule, ...]


def compile_valid(rules: Sequence[Rule], version: int, most: int = 1) -> CompiledRules:
    """Compile every rule that compiles by itself. most: how many may answer one message."""
    try:
        return CompiledRules(compile_rules(rules, version, most), ())
    except BadPattern:
        broken = tuple(wrong for rule in rules if (wrong := _wrong_with(rule)) is not None)
    left_out = {rule.id for rule in broken}
    sound = [rule for rule in rules if rule.id not in left_out]
    return CompiledRules(compile_rules(sound, version, most), broken)


def unusable_rules(broken: Iterable[BrokenRule]) -> list[UnusableRule]:
    """Return rows that are no rules as they are shown."""
    return [UnusableRule(id=row.id, problem=row.problem) for row in broken]


def _wrong_with(rule: Rule) -> UnusableRule | None:
    try:
        compile_rules([rule], version=0)
    except BadPattern as error:
        return UnusableRule(id=rule.id, problem=str(error))
    return None
