"""Rules that can never answer are found."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.rules.conflicts.detect import find
from app.rules.definition.triggers import LocationTrigger, keys_of
from app.rules.matching.geo import metres_between
from app.rules.matching.rule_set import Rule, compile_rules
from tests.rules.makers import APPID, NOON, OTHER_APPID, rule, text, text_rule
from tests.rules.matching.reference import fits
from tests.rules.matching.test_reference import ACCOUNTS, CONTENTS, FLAGS, PATTERNS, TEXTS, made

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


SHADOWED = [("shadowed", 2, 1, True)]


@pytest.mark.parametrize("pattern", [".*", "^", "$", "a*b?$", "(.*)", "^.*$", "^(.*)$"])
def test_a_pattern_that_every_text_fits_shadows_every_rule_for_texts(pattern: str) -> None:
    catcher = text_rule(1, "regex", pattern, priority=500)

    assert found(catcher, text_rule(2, "exact", "a")) == SHADOWED
    assert found(catcher, text_rule(2, "all", "a", "b", raw=True, appid=APPID)) == SHADOWED
    assert found(catcher, text_rule(2, "regex", "b+")) == SHADOWED
    assert found(catcher, text_rule(2, "contains", "a", **{"not": True})) == SHADOWED
    assert found(catcher, text_rule(2, "exact", "a", voice=True)) == []
    assert found(catcher, rule(2, "click", key="a")) == []
    assert found(text_rule(1, "regex", pattern, **SOMETIMES), text_rule(2, "regex", "b+")) == []


@pytest.mark.parametrize("pattern", [".", ".+", "(.+)", "^.", "^(.+)$"])
def test_a_pattern_for_one_character_shadows_as_much_since_no_rule_answers_an_empty_text(
    pattern: str,
) -> None:
    catcher = text_rule(1, "regex", pattern, priority=500)

    assert found(catcher, text_rule(2, "contains", "a")) == SHADOWED
    assert found(catcher, text_rule(2, "regex", "b*")) == SHADOWED
    assert found(catcher, text_rule(2, "contains", "a", **{"not": True})) == SHADOWED
    assert found(catcher, text_rule(2, "regex", "b*", voice=True)) == []


def test_what_a_pattern_takes_only_in_part_is_not_shadowed_by_it() -> None:
    def under(pattern: str, *words: str, **more: object) -> object:
        match = "exact" if len(words) == 1 else "any"
        catcher = text_rule(1, "regex", pattern, priority=500, **more)
        return found(catcher, text_rule(2, match, *words))

    assert under("^查.*", "查询") == SHADOWED
    assert under("^查.*", "查询", "退款") == []
    assert under("^a$", "A") == SHADOWED
    assert under("(?-i)^a$", "A") == []
    assert under("^a*$", "b") == []
    assert under("strasse", "Strasse") == []  # which Straße counts as, but the pattern does not fit
    assert under("^a*$", "a", raw=True) == []


def test_a_rule_for_all_other_texts_shadows_a_keyword_that_is_one_of_them() -> None:
    others = text_rule(1, "contains", "退款", priority=400, **{"not": True})

    assert found(others, text_rule(2, "exact", "商城")) == SHADOWED
    assert found(others, text_rule(2, "exact", "要退款")) == []
    assert found(others, text_rule(2, "contains", "商城")) == []
    # 商城！ counts as 商城, and does hold the mark.
    unmarked = text_rule(1, "contains", "！", priority=400, **{"not": True})
    assert found(unmarked, text_rule(2, "exact", "商城")) == []


def test_a_raw_keyword_is_shadowed_by_whatever_takes_it() -> None:
    raw = text_rule(2, "exact", "ABC", raw=True)

    assert found(text_rule(1, "contains", "abc", priority=200), raw) == SHADOWED
    assert found(text_rule(1, "regex", "^A.C$", priority=200), raw) == SHADOWED
    assert found(text_rule(1, "exact", "x", priority=200, **{"not": True}), raw) == SHADOWED
    assert found(text_rule(1, "contains", "abc", raw=True, priority=200), raw) == []


CATCHERS = st.sampled_from([".*", "^", "^.*$", ".+", "a*", "商*$"]) | PATTERNS


@given(
    TEXTS | CATCHERS.map(lambda pattern: {"on": "text", "match": "regex", "keyword": pattern}),
    TEXTS,
    CONTENTS,
    CONTENTS,
    FLAGS,
)
def test_what_a_shadowed_rule_fits_the_other_one_fits_too(
    broad: dict[str, Any], narrow: dict[str, Any], before: str, after: str, upper: bool
) -> None:
    rules = [made(broad, 1, None, 9, None), made(narrow, 2, None, 1, None)]

    if found(*rules):
        for word in narrow.get("keywords") or [narrow["keyword"]]:
            for typed in (word.upper() if upper else word, f"{before}{word}{after}", before):
                assert fits(rules[0], text(typed)) or not fits(rules[1], text(typed))


EARTHLY = (
    st.builds(
        lambda north, east, radius: {
            "on": "location",
            "latitude": north,
            "longitude": east,
            "radius_metres": radius,
        },
        st.floats(-90, 90) | st.sampled_from([31.0, 31.004, 31.1, -89.9, 90.0]),
        st.sampled_from([121.0, 121.001, -179.9, 179.9]),
        st.sampled_from([1e-5, 1, 500, 512, 60_000, 1_000_000]),
    )
    | st.builds(
        lambda on, name, key: {"on": on, name: key},
        st.sampled_from(["subscribe", "scan"]),
        st.sampled_from(["scene", "scene_prefix"]),
        st.text("ab", min_size=1, max_size=4),
    )
    | st.just({"on": "subscribe"})
)


def takes_all_of(broad: Rule, narrow: Rule) -> bool:
    outer, inner = broad.trigger, narrow.trigger
    if broad.appid not in {None, narrow.appid} or outer.on != inner.on:
        return False
    if isinstance(outer, LocationTrigger) and isinstance(inner, LocationTrigger):
        centres = ((each.latitude, each.longitude) for each in (outer, inner))
        return metres_between(*centres) <= outer.radius_metres - inner.radius_metres
    (key, prefix), (inner_key, inner_prefix) = (
        keys_of(outer) or ("", ""),
        keys_of(inner) or ("", ""),
    )
    return not key and (inner_key or inner_prefix or "").startswith(prefix or "")


@given(st.lists(st.tuples(EARTHLY, ACCOUNTS), max_size=12, unique_by=lambda one: str(one[0])))
def test_the_best_rule_that_takes_more_is_named(given: list[tuple[dict[str, Any], Any]]) -> None:
    rules = [
        made(trigger, number, appid, -number, None) for number, (trigger, appid) in enumerate(given)
    ]

    named = {rule_id: by for _, rule_id, by, _ in found(*rules)}

    assert named == {
        rule.id: by
        for rule in rules
        if (by := next((one.id for one in rules[: rule.id] if takes_all_of(one, rule)), None))
        is not None
    }
