"""Compiles a set of rules, skipping and reporting rules that are invalid."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from app.api_model import ApiModel
from app.rules.definition.schemas import BrokenRule
from app.rules.matching.rule_set import Rule, RuleSet, compile_rules
from app.rules.text.regex import BadPattern

TryCompile = Callable[[Sequence[Rule]], RuleSet | str]
"""Compiles rules, or says what is wrong with them."""


class UnusableRule(ApiModel):
    """A rule that is left out, because it does not compile or was changed outside this API."""

    id: int
    """The id of the rule."""
    problem: str
    """What is wrong with it."""


@dataclass(frozen=True, slots=True)
class CompiledRules:
    """The set of the rules that compile, and what is wrong with the others."""

    rules: RuleSet
    broken: tuple[UnusableRule, ...]


def compile_valid(rules: Sequence[Rule], version: int, most: int = 1) -> CompiledRules:
    """Compile every rule that compiles by itself. most: how many may answer one message.

    Raises BadPattern if the others do not compile together.
    """

    def try_compile(some: Sequence[Rule]) -> RuleSet | str:
        try:
            return compile_rules(some, version, most)
        except BadPattern as error:
            return str(error)

    compiled = skip_broken(rules, try_compile)
    if isinstance(compiled, str):
        raise BadPattern(compiled)
    return compiled


def skip_broken(rules: Sequence[Rule], try_compile: TryCompile) -> CompiledRules | str:
    """Compile rules; if that fails, compile them without those that fail by themselves.

    Returns what is wrong if no rule fails by itself, or if the others do not compile either.
    """
    compiled = try_compile(rules)
    if not isinstance(compiled, str):
        return CompiledRules(compiled, ())
    broken = tuple(
        UnusableRule(id=rule.id, problem=problem)
        for rule in rules
        if isinstance(problem := try_compile([rule]), str)
    )
    if not broken:
        return compiled
    skipped = {rule.id for rule in broken}
    valid = try_compile([rule for rule in rules if rule.id not in skipped])
    return valid if isinstance(valid, str) else CompiledRules(valid, broken)


def unusable_rules(broken: Iterable[BrokenRule]) -> list[UnusableRule]:
    """Return the rows that are not valid rules in the form in which the API lists them."""
    return [UnusableRule(id=row.id, problem=row.problem) for row in broken]
