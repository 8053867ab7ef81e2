"""No pattern, and no number of patterns, makes a message slow for everybody."""

from typing import Any

import orjson
import pytest
from pydantic import ValidationError

from app import metrics
from app.rules import store
from app.rules.definition.schemas import BrokenRule, RuleIn, RuleOut
from app.rules.matching import rule_set
from app.rules.matching.rule_set import compile_rules
from app.rules.text import regex_cost
from app.rules.text.regex import Pattern
from app.rules.text.regex_cost import MAX_COST_SECONDS, MEASURED_BYTES, SearchBudget, cost_of
from app.wechat.ids import AppId
from tests.rules.makers import APPID, NOON, as_posted, text, text_rule

SLOW = ["[^a]{0,999}b", ".{0,1000}Q", "(?:[^a]{0,999})(b|c)", "[^商]{0,900}城"]
USUAL = [
    *["价格|多少钱|怎么卖", r"^1[3-9]\d{9}$", ".{0,100}商城", "我想.{0,20}买.{0,20}吗", "(x+x+)+y"],
    *["(?:[一-龥]{2,10})客服", "|".join(f"word{number}" for number in range(120))],
]


def with_pattern(pattern: str, **more: object) -> dict[str, Any]:
    trigger = {"on": "text", "match": "regex", "keyword": pattern, **more}
    return as_posted(trigger=trigger)


@pytest.mark.parametrize("pattern", SLOW)
@pytest.mark.parametrize("more", [{}, {"raw": True}, {"not": True}])
def test_a_slow_pattern_is_refused_with_its_cost(pattern: str, more: dict[str, bool]) -> None:
    with pytest.raises(ValidationError, match=r"takes \d+\.\d ms to search .* smaller counts"):
        RuleIn.model_validate(with_pattern(pattern, **more))


def test_of_a_pattern_that_is_far_too_slow_only_a_part_of_one_text_is_searched(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    searched: list[int] = []

    def run(_pattern: Pattern, text: bytes) -> float:
        searched.append(len(text))
        return len(text) / MEASURED_BYTES

    monkeypatch.setattr(regex_cost, "_run", run)

    assert cost_of.__wrapped__("[^a]{0,998}b") == pytest.approx(1)
    assert searched == [MEASURED_BYTES // 32]


@pytest.mark.parametrize("pattern", USUAL)
def test_a_usual_pattern_is_taken(pattern: str) -> None:
    RuleIn.model_validate(with_pattern(pattern))
    assert cost_of(pattern) <= MAX_COST_SECONDS


def test_a_stored_pattern_that_is_far_too_slow_is_left_out_and_a_little_slow_one_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stamps = {"id": 7, "revision": 1, "created_at": NOON, "updated_at": NOON}

    def read(cost: float) -> RuleOut | BrokenRule:
        monkeypatch.setattr("app.rules.definition.text_triggers.cost_of", lambda *_, **__: cost)
        return store._decode(orjson.dumps(with_pattern("a") | stamps).decode())

    kept, left_out = read(MAX_COST_SECONDS * 3), read(MAX_COST_SECONDS * 5)

    assert isinstance(kept, RuleOut)
    assert isinstance(left_out, BrokenRule)
    assert "takes 15.0 ms" in left_out.problem


def test_beyond_the_budget_of_a_message_patterns_are_skipped_and_keywords_are_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rule_set, "SearchBudget", lambda: SearchBudget(0))
    patterns = [
        text_rule(1, "regex", "^a.*z$", priority=900),
        text_rule(2, "regex", "c[0-9]", priority=800),
        text_rule(3, "regex", "price.*[0-9]", priority=700),
        text_rule(4, "regex", "C[0-9]", priority=600, raw=True),
        text_rule(5, "regex", "never", priority=500, **{"not": True}),
    ]
    rules = compile_rules([*patterns, text_rule(6, "contains", "c1")], 1, most=10)
    before = metrics.PATTERN_SEARCHES_SKIPPED._value.get()

    found = rules.find(AppId(APPID), text("C1 price c1"), NOON)

    assert [rule.id for rule in found.rules][-1] == 6
    assert len(found.rules) <= 2, "one search begins before the time is up"
    assert metrics.PATTERN_SEARCHES_SKIPPED._value.get() > before
    assert len([*rules.matching(AppId(APPID), text("C1 price c1"))]) == 5
