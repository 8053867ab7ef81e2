"""Rules that get in each other's way."""

from datetime import timedelta
from typing import Any

from app.rules.conflicts import find
from app.rules.engine import Rule, compile_rules
from tests.rules.makers import APPID, NOON, OTHER_APPID, rule, text_rule

SOMETIMES: dict[str, Any] = {"conditions": {"hours": {"start": "09:00", "end": "10:00"}}}


def found(*rules: Rule, most: int = 1) -> list[tuple[str, int, int | None, bool]]:
    return [
        (conflict.kind.value, conflict.rule_id, conflict.by_id, conflict.unreachable)
        for conflict in find(compile_rules(rules, 0, most), NOON)
    ]


def test_the_same_rule_without_conditions_is_named_before_one_with_some() -> None:
    assert found(
        text_rule(1, "exact", "a", **SOMETIMES),
        text_rule(2, "exact", "a"),
        text_rule(3, "exact", "a"),
    ) == [("identical", 2, 1, False), ("identical", 3, 2, True)]


def test_a_follow_by_any_way_shadows_one_through_a_code() -> None:
    any_way = rule(1, "subscribe", priority=200)

    assert found(any_way, rule(2, "subscribe", scene="shop")) == [("shadowed", 2, 1, True)]
    assert found(any_way, rule(2, "scan", scene="shop")) == []
    assert (
        found(rule(1, "subscribe", priority=200, **SOMETIMES), rule(2, "subscribe", scene="a"))
        == []
    )


def test_a_beginning_shadows_what_begins_so_in_its_own_account() -> None:
    beginning = rule(1, "scan", scene_prefix="shop", priority=200, appid=APPID)

    assert found(beginning, rule(2, "scan", scene="shop-1", appid=APPID)) == [
        ("shadowed", 2, 1, True)
    ]
    assert found(beginning, rule(2, "scan", scene_prefix="shop-", appid=APPID)) == [
        ("shadowed", 2, 1, True)
    ]
    assert found(beginning, rule(2, "scan", scene="sho", appid=APPID)) == []
    assert found(beginning, rule(2, "scan", scene="shop-1", appid=OTHER_APPID)) == []


def test_a_rule_whose_time_is_over_never_answers_and_is_in_nobodys_way() -> None:
    over = text_rule(1, "exact", "a", conditions={"until": (NOON - timedelta(days=1)).isoformat()})

    assert found(over, text_rule(2, "exact", "a")) == [("expired", 1, None, True)]


def test_where_several_rules_answer_none_is_kept_from_answering_by_one() -> None:
    rules = text_rule(1, "contains", "a", priority=200), text_rule(2, "exact", "a")

    assert found(*rules, most=3) == [("shadowed", 2, 1, False)]
    assert found(rule(1, "fallback"), rule(2, "fallback"), most=3) == [("identical", 2, 1, True)]


def test_a_keyword_shadows_only_in_the_form_in_which_it_is_compared() -> None:
    inner = text_rule(1, "contains", "【退款", priority=200)

    assert found(inner, text_rule(2, "prefix", "【退款】")) == []
    assert found(inner, text_rule(2, "exact", "【退款】")) == []
    assert found(
        text_rule(1, "contains", "退款】", priority=200), text_rule(2, "prefix", "【退款】")
    ) == [("shadowed", 2, 1, True)]


def test_a_circle_shadows_what_lies_in_it() -> None:
    city = rule(1, "location", latitude=31.2, longitude=121.5, radius_metres=9000, priority=200)

    def shop(latitude: float) -> Rule:
        return rule(2, "location", latitude=latitude, longitude=121.5, radius_metres=500)

    assert found(city, shop(31.25)) == [("shadowed", 2, 1, True)]
    assert found(city, shop(31.28)) == []


def test_an_answer_to_any_template_shadows_one_to_a_certain_one() -> None:
    accepted = rule(1, "subscribe_msg", status="accept", priority=200)

    assert found(accepted, rule(2, "subscribe_msg", template="T", status="accept")) == [
        ("shadowed", 2, 1, True)
    ]
    assert found(accepted, rule(2, "subscribe_msg", template="T", status="reject")) == []
    assert found(accepted, rule(2, "subscribe_msg", template="T")) == []
