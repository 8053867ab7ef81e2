"""The automatic replies of the WeChat console become rules."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.rules.importing.console import Conversion, rules_from_console
from simulator.autoreply_api import current_autoreply_info
from tests.rules.makers import APPID

TEXT = {"type": "text", "content": "hello {you}"}


def carried(**told: Any) -> Conversion:  # noqa: ANN401 - members of every type
    return rules_from_console(told, APPID)


def article(**changes: object) -> dict[str, object]:
    told = {"title": "news", "cover_url": "http://a/b", "content_url": "http://a/", **changes}
    return {"type": "news", "news_info": {"list": [told]}}


def keyword_rule(**changes: object) -> dict[str, object]:
    rule = {
        "rule_name": "shop",
        "reply_mode": "reply_all",
        "keyword_list_info": [{"type": "text", "match_mode": "contain", "content": "商城"}],
        "reply_list_info": [TEXT],
        **changes,
    }
    return {"list": [rule]}


async def test_welcome_default_and_keywords_become_rules() -> None:
    told = await current_autoreply_info(None)  # type: ignore[arg-type]  # the account is not looked at

    found = rules_from_console(told, APPID)

    assert [(rule.name, rule.trigger.on) for rule in found.rules] == [
        ("Console: welcome", "subscribe"),
        ("Console: default", "fallback"),
        ("Console: hours = 几点", "text"),
        ("Console: hours", "text"),
        ("Console: news", "text"),
    ]
    assert {rule.appid for rule in found.rules} == {APPID}
    assert [rule.replies[0].via for rule in found.rules] == ["passive"] * 5
    assert len(found.skipped) == 3  # the picture, for either kind of keyword; and the chance


def test_braces_of_the_console_stay_braces() -> None:
    (rule,) = carried(add_friend_autoreply_info=TEXT).rules

    assert rule.replies[0].model_dump()["content"] == "hello {{you}}"


def test_the_default_reply_keeps_its_one_an_hour() -> None:
    (rule,) = carried(message_default_autoreply_info=TEXT).rules

    assert rule.conditions is not None
    assert rule.conditions.cooldown_seconds == 3600


def test_what_is_switched_off_comes_switched_off() -> None:
    found = carried(is_add_friend_reply_open=0, add_friend_autoreply_info=TEXT)

    assert [rule.enabled for rule in found.rules] == [False]


def test_several_keywords_that_may_be_anywhere_share_one_rule() -> None:
    words = [{"match_mode": "contain", "content": word} for word in ("商城", "优惠")]

    (rule,) = carried(keyword_autoreply_info=keyword_rule(keyword_list_info=words)).rules

    assert getattr(rule.trigger, "keywords", None) == ("商城", "优惠")


def test_only_one_of_several_replies_is_passive() -> None:
    replies = [TEXT, TEXT, TEXT]

    (rule,) = carried(keyword_autoreply_info=keyword_rule(reply_list_info=replies)).rules

    assert [reply.via for reply in rule.replies] == [
        "passive",
        "customer_service",
        "customer_service",
    ]


def test_what_can_not_be_carried_over_is_listed_and_stops_nothing() -> None:
    strange = [
        {"type": "video", "content": "a-media-id"},
        {"type": "hologram"},
        {"type": "news", "news_info": {"list": []}},
    ]
    found = carried(
        add_friend_autoreply_info=TEXT,
        keyword_autoreply_info=keyword_rule(reply_list_info=strange),
    )

    assert [rule.name for rule in found.rules] == ["Console: welcome"]
    assert len(found.skipped) == 4
    assert all("Console: shop" in line for line in found.skipped)


def test_an_answer_of_another_shape_is_no_error() -> None:
    for told in ({}, {"keyword_autoreply_info": None}, {"keyword_autoreply_info": {"list": [5]}}):
        assert rules_from_console(told, APPID).rules == []


def test_rules_of_one_name_are_numbered() -> None:
    one = keyword_rule()["list"]
    assert isinstance(one, list)
    found = carried(keyword_autoreply_info={"list": one * 3})

    assert [rule.name for rule in found.rules] == [
        "Console: shop",
        "Console: shop (2)",
        "Console: shop (3)",
    ]


def test_a_keyword_that_is_repeated_counts_once() -> None:
    modes = [("contain", "VIP"), ("contain", "vip"), ("equal", "你好"), ("equal", "你好")]
    words = [{"match_mode": mode, "content": word} for mode, word in modes]

    found = carried(keyword_autoreply_info=keyword_rule(keyword_list_info=words)).rules

    assert [getattr(rule.trigger, "keywords", None) for rule in found] == [None, ("VIP",)]


def test_of_replies_at_random_the_first_that_can_be_carried_is_kept() -> None:
    replies = [{"type": "video", "content": "a-media-id"}, TEXT, {**TEXT, "content": "second"}]

    found = carried(
        keyword_autoreply_info=keyword_rule(reply_mode="random_one", reply_list_info=replies)
    )

    (rule,) = found.rules
    assert [reply.model_dump()["content"] for reply in rule.replies] == ["hello {{you}}"]


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        ({**TEXT, "content": 3000 * "a"}, "content: has 3,000 bytes"),
        ({"type": "text"}, "type text: has no content"),
        ({"type": "img"}, "type img: has no content"),
        (article(cover_url=None), "articles.0.picurl: is missing"),
        (article(title=5), "articles.0.title: must be a text"),
        ({"type": ["text"]}, "unknown type ['text']"),
        ("hello", "1 replies of an unknown shape"),
    ],
)
def test_a_bad_reply_is_listed_and_the_good_ones_are_carried_over(bad: object, why: str) -> None:
    replies = [bad, article(), TEXT]

    found = carried(keyword_autoreply_info=keyword_rule(reply_list_info=replies))

    (rule,) = found.rules
    assert [(reply.msgtype, reply.via) for reply in rule.replies] == [
        ("news", "customer_service"),
        ("text", "passive"),
    ]
    (line,) = found.skipped
    assert line.startswith("Console: shop: ")
    assert why in line


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        ({"content": " ", "match_mode": "contain"}, "a keyword that is blank"),
        ({"content": 5, "match_mode": "contain"}, "a keyword that is not text"),
        ({"content": "a", "match_mode": "regex"}, "the keyword a: its match_mode regex"),
        ("a", "1 keywords of an unknown shape"),
    ],
)
def test_a_bad_keyword_is_listed_and_the_good_ones_are_carried_over(bad: object, why: str) -> None:
    words = [bad, {"content": "b", "match_mode": "contain"}]

    found = carried(keyword_autoreply_info=keyword_rule(keyword_list_info=words))

    assert [getattr(rule.trigger, "keywords", None) for rule in found.rules] == [("b",)]
    (line,) = found.skipped
    assert why in line


@given(
    st.sampled_from(
        [
            ("add_friend_autoreply_info",),
            ("message_default_autoreply_info",),
            ("keyword_autoreply_info",),
            ("keyword_autoreply_info", "list"),
            ("keyword_autoreply_info", "list", 0),
            ("keyword_autoreply_info", "list", 0, "keyword_list_info"),
            ("keyword_autoreply_info", "list", 0, "keyword_list_info", 0),
            ("keyword_autoreply_info", "list", 0, "reply_list_info"),
            ("keyword_autoreply_info", "list", 0, "reply_list_info", 0),
            ("keyword_autoreply_info", "list", 0, "reply_list_info", 0, "news_info"),
        ]
    ),
    st.recursive(
        st.just(True) | st.integers(min_value=1) | st.text(min_size=1),
        lambda inner: st.lists(inner, min_size=1) | st.dictionaries(st.text(), inner, min_size=1),
        max_leaves=5,
    ),
)
def test_whatever_stands_in_the_place_of_a_part_is_listed(place: tuple[Any, ...], it: Any) -> None:  # noqa: ANN401 - any JSON
    told: dict[str, Any] = {
        "add_friend_autoreply_info": TEXT,
        "message_default_autoreply_info": TEXT,
        "keyword_autoreply_info": keyword_rule(reply_list_info=[article()]),
    }
    *way, last = place
    part: Any = told
    for step in way:
        part = part[step]
    part[last] = it

    assert carried(**told).skipped
