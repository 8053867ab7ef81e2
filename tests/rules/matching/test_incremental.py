"""A set that has taken over changes one by one answers like one that was compiled as a whole."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.rules.matching import incremental
from app.rules.matching.follower_facts import Facts
from app.rules.matching.rule_set import Rule, RuleSet, compile_rules
from app.wechat import outbound
from app.wechat.ids import AppId
from app.wechat.inbound import Inbound
from tests.rules.makers import APPID, NOON, text, text_rule
from tests.rules.matching.reference import slow_choice
from tests.rules.matching.test_reference import (
    ACCOUNTS,
    CONDITIONS,
    CONTENTS,
    EVENTS,
    FACTS,
    MESSAGES,
    MOMENTS,
    PRIORITIES,
    TEXTS,
    made,
)

IDS = st.integers(1, 40)
ONE = st.builds(made, TEXTS | EVENTS, st.just(0), ACCOUNTS, PRIORITIES, CONDITIONS)
STARTS = st.dictionaries(IDS, ONE, min_size=12, max_size=30)
EDITS = st.lists(st.dictionaries(IDS, st.none() | ONE, max_size=3), max_size=6)


def numbered(rules: Mapping[int, Rule | None]) -> dict[int, Rule | None]:
    return {
        rule_id: None if rule is None else replace(rule, id=rule_id)
        for rule_id, rule in rules.items()
    }


def grown(start: RuleSet, edits: Sequence[Mapping[int, Rule | None]], most: int) -> list[RuleSet]:
    """Every set on the way, the first one included."""
    sets = [start]
    for version, edit in enumerate(edits, start.version + 1):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(incremental, "FEW_RULES", 0)
            after = incremental.apply_changes(sets[-1], edit, version, compiled(most))
        assert after is not None
        sets.append(after)
    return sets


def compiled(most: int) -> incremental.Compile:
    return lambda rules, version: compile_rules(rules, version, most)


def ids(rules: RuleSet, message: Inbound, facts: Facts | None, now: datetime) -> list[int]:
    return [choice.rule.id for choice in rules.choose(AppId(APPID), message, facts, now)]


@settings(max_examples=300)
@given(STARTS, EDITS, st.integers(0, 6), MESSAGES, FACTS, MOMENTS, st.integers(1, 4))
def test_changes_laid_over_a_set_answer_as_all_compiled_together(
    start: dict[int, Rule],
    edits: list[dict[int, Rule | None]],
    rebuilt_at: int,
    message: Inbound,
    facts: Facts | None,
    now: datetime,
    most: int,
) -> None:
    first, changes = numbered(start), [numbered(edit) for edit in edits]
    everything = dict(first)
    for change in changes:
        everything |= change
    left = [rule for rule in everything.values() if rule is not None]
    together = compile_rules(left, 1, most)

    sets = grown(compiled(most)([rule for rule in first.values() if rule], 1), changes, most)
    before = sets[min(rebuilt_at, len(changes))]
    rebuilt = incremental.recompile(before, compiled(most))
    assert rebuilt is not None
    same_base = sets[-1].base is before.base
    caught_up = incremental.replay_missed(rebuilt, before, sets[-1], compiled(most))

    wanted = slow_choice(left, APPID, message, facts, now, most)
    for rules in (sets[-1], *((caught_up,) if same_base else ())):
        assert rules is not None
        assert rules.version == len(changes) + 1
        assert rules.ranked == together.ranked
        assert rules.count == len(left)
        assert ids(rules, message, facts, now) == wanted
        assert rules.choose(AppId(APPID), message, facts, now) == together.choose(
            AppId(APPID), message, facts, now
        )


TEXT = st.builds(made, TEXTS, st.just(0), ACCOUNTS, PRIORITIES, st.none())


@given(
    st.dictionaries(IDS, TEXT, min_size=20),
    st.dictionaries(IDS, st.none() | TEXT, min_size=1, max_size=6),
    CONTENTS.map(text),
)
def test_what_fits_of_old_and_new_rules_comes_in_one_order(
    start: dict[int, Rule], edit: dict[int, Rule | None], message: Inbound
) -> None:
    first, change = numbered(start), numbered(edit)
    together = compile_rules([rule for rule in (first | change).values() if rule], 1)

    rules = grown(compile_rules([rule for rule in first.values() if rule], 1), [change], 1)[-1]

    assert rules.changes
    wanted = list(together.matching(AppId(APPID), message))
    assert list(rules.matching(AppId(APPID), message)) == wanted


def test_a_changed_pattern_gives_its_own_captures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(incremental, "FEW_RULES", 10)
    replies = (outbound.Text(via="passive", content="{1}"),)
    before, after = (
        replace(text_rule(3, "regex", pattern), replies=replies) for pattern in ("(买)", "(退)")
    )
    start = compile_rules([*many().ranked[4:], before], 1)

    rules = incremental.apply_changes(start, {3: after}, 2, compile_rules)

    assert rules is not None
    assert rules.base is start.base
    (choice,) = rules.choose(AppId(APPID), text("退货"), None, NOON)
    assert choice.captures["1"] == "退"


def many(count: int = 20) -> RuleSet:
    return compile_rules([text_rule(n, "exact", f"词{n}") for n in range(count)], 1)


def without_the_word(word: str) -> incremental.Compile:
    """A compiler that breaks at a rule with this keyword."""

    def compile_set(rules: Iterable[Rule], version: int) -> RuleSet:
        found = tuple(rules)
        if any(getattr(rule.trigger, "keyword", None) == word for rule in found):
            raise IndexError("string index out of range")
        return compile_rules(found, version)

    return compile_set


def test_few_changes_of_many_rules_leave_what_is_compiled_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(incremental, "FEW_RULES", 10)
    start = many()

    after = incremental.apply_changes(start, {3: text_rule(3, "exact", "新")}, 2, compile_rules)

    assert after is not None
    assert after.base is start.base
    assert ids(after, text("词3"), None, NOON) == []
    assert ids(after, text("新"), None, NOON) == [3]


def test_few_rules_are_all_compiled_together() -> None:
    after = incremental.apply_changes(many(), {3: text_rule(3, "exact", "新")}, 2, compile_rules)

    assert after is not None
    assert after.changes == {}


def test_a_broken_rule_among_the_changes_is_left_out_until_it_is_changed_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(incremental, "FEW_RULES", 10)
    compile_set = without_the_word("坏")

    broken = incremental.apply_changes(
        many(), {3: text_rule(3, "exact", "坏"), 4: text_rule(4, "exact", "好")}, 2, compile_set
    )
    assert broken is not None
    assert (broken.left_out, broken.count) == ((3,), 19)
    assert ids(broken, text("词3"), None, NOON) == []
    assert ids(broken, text("好"), None, NOON) == [4]

    mended = incremental.apply_changes(broken, {3: text_rule(3, "exact", "词3")}, 3, compile_set)
    assert mended is not None
    assert (mended.left_out, mended.count) == ((), 20)
    assert ids(mended, text("词3"), None, NOON) == [3]


def test_what_is_left_out_stays_named_when_all_is_compiled_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(incremental, "FEW_RULES", 10)
    compile_set = without_the_word("坏")
    before = incremental.apply_changes(many(), {3: text_rule(3, "exact", "坏")}, 2, compile_set)
    assert before is not None
    now = incremental.apply_changes(before, {5: text_rule(5, "exact", "坏")}, 3, compile_set)
    assert now is not None

    rebuilt = incremental.recompile(before, compile_set)
    assert rebuilt is not None
    after = incremental.replay_missed(rebuilt, before, now, compile_set)

    assert after is not None
    assert sorted(after.left_out) == [3, 5]
    assert after.count == 18
    assert ids(after, text("词5"), None, NOON) == []
