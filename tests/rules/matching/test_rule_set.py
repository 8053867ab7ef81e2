"""Which rule answers: kinds of match, boundaries, order and accounts."""

import pytest

from app.rules.matching.follower_facts import Facts
from app.rules.matching.rule_set import Rule, compile_rules
from app.wechat.ids import AppId
from app.wechat.inbound import Inbound
from tests.rules.makers import (
    APPID,
    NOON,
    OTHER_APPID,
    click,
    follow,
    image,
    rule,
    scan,
    text,
    text_rule,
    unfollow,
    view,
)


def chosen(rules: list[Rule], message: Inbound, appid: str = APPID) -> int | None:
    answers = compile_rules(rules, version=1).choose(AppId(appid), message, Facts(), NOON)
    return answers[0].rule.id if answers else None


@pytest.mark.parametrize(
    ("match", "keyword", "fits", "fails"),
    [
        ("exact", "商城", "商城", "商城吗"),
        ("exact", "👨‍👩‍👧", "👨‍👩‍👧", "👨‍👩‍👧👧"),
        ("prefix", "商城", "商城在哪", "去商城"),
        ("prefix", "👍", "👍👍", "好👍"),
        ("contains", "商城", "我想去商城看看", "商 城"),
        ("contains", "🎉", "你好，世界🎉👨‍👩‍👧", "你好👨‍👩‍👧"),
        ("contains", "c++", "I like C++ most", "I like c+ most"),
        ("regex", "订单[0-9]+", "查订单12", "查订单"),
        ("regex", "^(你好|您好)$", "您好", "您好啊"),
        ("regex", r"\p{Han}{3}", "好的啊", "好的"),
    ],
)
def test_each_kind_of_match_takes_what_fits_and_nothing_else(
    match: str, keyword: str, fits: str, fails: str
) -> None:
    rules = [text_rule(1, match, keyword)]

    assert chosen(rules, text(fits)) == 1
    assert chosen(rules, text(fails)) is None


@pytest.mark.parametrize("match", ["exact", "prefix", "contains", "regex"])
def test_letter_case_and_outer_blanks_do_not_count(match: str) -> None:
    assert chosen([text_rule(1, match, "Shop")], text(" \u3000sHOP\n")) == 1


@pytest.mark.parametrize("match", ["exact", "prefix", "contains"])
def test_outer_blanks_of_a_keyword_do_not_count(match: str) -> None:
    assert chosen([text_rule(1, match, " SHOP ")], text("shop")) == 1


def test_a_plain_keyword_is_never_read_as_a_pattern() -> None:
    rules = [text_rule(1, "contains", "a.c"), text_rule(2, "exact", ".*")]

    assert chosen(rules, text("abc")) is None


def test_the_more_specific_kind_wins_whatever_the_ids() -> None:
    rules = [
        rule(1, "fallback"),
        text_rule(2, "regex", "商城"),
        text_rule(3, "contains", "商城"),
        text_rule(4, "prefix", "商城"),
        text_rule(5, "exact", "商城"),
    ]

    answers = []
    while rules:
        answers.append(chosen(rules, text("商城")))
        rules = [left for left in rules if left.id != answers[-1]]
    assert answers == [5, 4, 3, 2, 1]


def test_priority_goes_before_how_specific_a_rule_is() -> None:
    rules = [text_rule(1, "exact", "商城", priority=1), text_rule(2, "regex", ".", priority=2)]

    assert chosen(rules, text("商城")) == 2


def test_the_lower_id_wins_between_equals() -> None:
    rules = [text_rule(7, "contains", "城"), text_rule(3, "contains", "商")]

    assert chosen(rules, text("商城")) == 3
    assert chosen([text_rule(9, "exact", "a"), text_rule(8, "exact", "A")], text("a")) == 8


def test_a_long_keyword_is_found_inside_and_across_shorter_ones() -> None:
    rules = [
        text_rule(1, "contains", "城市"),
        text_rule(2, "contains", "商城", priority=200),
        text_rule(3, "contains", "大商城市场", priority=300),
    ]

    assert chosen(rules, text("大商城市")) == 2
    assert chosen(rules, text("去大商城市场")) == 3
    assert chosen(rules, text("老城市")) == 1


def test_the_best_pattern_is_found_however_many_there_are() -> None:
    rules = [text_rule(n, "regex", f"^no{n}$") for n in range(1, 200)]
    rules += [text_rule(200, "regex", "商.*城"), text_rule(300, "regex", "商")]

    assert chosen(rules, text("商业城")) == 200
    assert chosen(rules, text("no150")) == 150
    assert chosen(rules, text("nothing")) is None


def test_a_rule_answers_for_its_own_account_only() -> None:
    rules = [
        text_rule(1, "exact", "商城", appid=OTHER_APPID, priority=300),
        text_rule(2, "exact", "商城", priority=200),
        text_rule(3, "exact", "商城", appid=APPID, priority=100),
    ]

    assert chosen(rules, text("商城")) == 2
    assert chosen(rules, text("商城"), OTHER_APPID) == 1
    assert chosen(rules[::2], text("商城"), "wx0000000000000003") is None


def test_a_better_rule_of_every_account_goes_before_one_of_this_account() -> None:
    rules = [
        rule(1, "subscribe", priority=200),
        rule(2, "subscribe", appid=APPID),
        rule(3, "fallback", priority=200),
        rule(4, "fallback", appid=APPID),
    ]

    assert chosen(rules, follow()) == 1
    assert chosen(rules, image()) == 3


def test_a_welcome_answers_every_follow() -> None:
    rules = [rule(1, "subscribe")]

    assert chosen(rules, follow()) == 1
    assert chosen(rules, follow("store_0042")) == 1
    assert chosen(rules, unfollow()) is None


@pytest.mark.parametrize("on", ["subscribe", "scan"])
def test_a_follow_through_a_scene_prefers_the_rule_of_that_scene(on: str) -> None:
    rules = [rule(1, "subscribe"), rule(2, on, scene="store_0042")]

    assert chosen(rules, follow("store_0042")) == 2
    assert chosen(rules, follow("store_0043")) == 1
    assert chosen(rules, follow()) == 1


def test_a_scan_takes_the_rule_of_its_scene_and_no_welcome() -> None:
    rules = [
        rule(1, "subscribe"),
        rule(2, "subscribe", scene="store_0042"),
        rule(3, "scan", scene="store_0042"),
    ]

    assert chosen(rules, scan("store_0042")) == 3
    assert chosen(rules, scan("STORE_0042")) is None


def test_a_menu_tap_takes_the_rule_of_its_key() -> None:
    rules = [rule(1, "click", key="SHOP")]

    assert chosen(rules, click("SHOP")) == 1
    assert chosen(rules, click("shop")) is None
    assert chosen(rules, view("SHOP")) is None


def test_a_fallback_answers_any_message_but_no_event() -> None:
    rules = [rule(1, "fallback")]

    assert chosen(rules, text("anything")) == 1
    assert chosen(rules, text("")) == 1
    assert chosen(rules, image()) == 1
    for event in (follow(), unfollow(), scan("s"), click("k"), view("https://example.com")):
        assert chosen(rules, event) is None


def test_a_fallback_comes_last_whatever_its_priority() -> None:
    rules = [
        rule(1, "fallback", appid=APPID, priority=9999),
        text_rule(2, "regex", "商城", priority=-5),
    ]

    assert chosen(rules, text("商城")) == 2


def test_a_tap_on_a_menu_message_is_matched_like_text() -> None:
    assert chosen([text_rule(1, "exact", "满意")], text("满意", bizmsgmenuid="101")) == 1


def test_a_set_knows_its_version_and_what_each_rule_waits_for() -> None:
    compiled = compile_rules([rule(1, "fallback"), text_rule(2, "regex", "a")], version=7)

    assert compiled.version == 7
    assert [rule.kind for rule in compiled.ranked] == ["regex", "fallback"]


def test_no_rules_answer_nothing() -> None:
    assert chosen([], text("商城")) is None
    assert chosen([], follow()) is None
