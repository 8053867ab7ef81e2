"""One rule that does not compile is left out, and the others are compiled."""

from app.rules.matching.compile_valid import compile_valid
from app.rules.matching.rule_set import Rule
from tests.rules.makers import text_rule


def test_a_rule_that_does_not_compile_is_left_out_and_named() -> None:
    trigger = text_rule(2, "regex", "a").trigger.model_copy(update={"keyword": "("})
    rules = [text_rule(1, "exact", "a"), Rule(2, "Bad", None, 100, trigger, ())]

    sound = compile_valid(rules, 7, most=3)

    assert [rule.id for rule in sound.rules.ranked] == [1]
    assert (sound.rules.version, sound.rules.most) == (7, 3)
    assert [(broken.id, "missing )" in broken.problem) for broken in sound.broken] == [(2, True)]
