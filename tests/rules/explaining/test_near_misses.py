"""The one reason why a rule does not answer, with its figures."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.rules.explaining.explain import Explanation, explain
from app.rules.explaining.question import ExplainQuery
from app.rules.matching.account_index import text_of
from app.rules.matching.event_index import MENU_ANSWER
from app.rules.matching.follower_facts import Facts
from app.rules.matching.match_one import matches
from app.rules.matching.rule_set import Rule, compile_rules
from app.wechat.ids import AppId
from app.wechat.inbound import Inbound
from tests.rules.makers import (
    APPID,
    NOON,
    OTHER_APPID,
    click,
    follow,
    happening,
    place,
    rule,
    scan,
    sticker,
    text,
    text_rule,
    view,
    voice,
)
from tests.rules.matching.test_reference import FACTS, MESSAGES, MOMENTS, RULES


def explained(
    rules: list[Rule],
    message: Inbound,
    *,
    off: tuple[Rule, ...] = (),
    facts: Facts | None = None,
    now: datetime = NOON,
    most: int = 1,
) -> Explanation:
    asked = ExplainQuery(AppId(APPID), message, facts, now)
    return explain(compile_rules(rules, 1, most), off, asked)


def reasons(found: Explanation) -> dict[int, str]:
    return {miss.rule.id: miss.reason for miss in found.near_misses}


def why_not(one: Rule, message: Inbound, **more: Any) -> str | None:  # noqa: ANN401 - of several types
    """Why this rule alone does not answer; None if it is no near miss."""
    return reasons(explained([one], message, **more)).get(one.id)


def test_a_sticker_names_the_rules_that_its_words_would_have_met() -> None:
    words = "WeChat sends this text in place of a sticker, and no keyword is compared with it"

    assert why_not(text_rule(1, "contains", "消息"), sticker()) == words
    assert why_not(text_rule(1, "contains", "商城", **{"not": True}), sticker()) == words
    assert why_not(text_rule(1, "contains", "商城"), sticker()) is None
    found = explained([rule(1, "unsupported"), text_rule(2, "regex", ".*")], sticker())
    assert [winner.chosen.rule.id for winner in found.winners] == [1]


@pytest.mark.parametrize(
    ("match", "keywords", "content", "words"),
    [
        ("exact", ["商城"], "去商城呀", "says more than its keyword: 4 characters, not 2"),
        ("exact", ["营业时间"], "营业", 'only 2 of the 4 characters of "营业时间"'),
        ("prefix", ["商城"], "去商城", "not at the beginning, but 1 characters later"),
        ("suffix", ["商城"], "商城在哪", "not at the end, but 2 characters earlier"),
        ("all", ["订单", "退款"], "我的订单", 'of its 2 keywords one is missing: "退款"'),
        ("contains", ["wifi密码"], "wi-fi 密码", "only blanks, punctuation or symbols"),
        ("regex", ["^订单$"], "我的订单", "not at the beginning (^)"),
        ("regex", ["^订单$"], "订单呢", "not at the end ($)"),
        ("regex", ["^订单$"], "我的订单呢", "says more than its pattern"),
        ("regex", ["订单[0-9]+"], "我的订单", 'the text has "订单"'),
        ("regex", ["^订单$"], "！订单呢", "not at the end ($)"),
        ("regex", ["^订单$"], "我的订单。", "not at the beginning (^)"),
        ("regex", ["Ａ  b"], "a  b", "as typed (raw)"),
    ],
)
def test_a_text_that_nearly_fits_is_told_what_it_lacks(
    match: str, keywords: list[str], content: str, words: str
) -> None:
    assert words in (why_not(text_rule(1, match, *keywords), text(content)) or "")


@pytest.mark.parametrize(
    ("match", "keywords", "content"),
    [
        ("exact", ["商城"], "天气"),
        ("all", ["订单", "退款", "退货"], "订单"),
        ("regex", ["[0-9]+"], "天气"),
        ("regex", ["^$"], "天气"),
        ("contains", ["?"], "天气"),
    ],
)
def test_a_text_that_lacks_more_is_no_near_miss(
    match: str, keywords: list[str], content: str
) -> None:
    assert why_not(text_rule(1, match, *keywords), text(content)) is None


def test_raw_negated_and_deaf_rules_say_so() -> None:
    melting = text_rule(7, "regex", "\\pL\u0301", raw=True)  # normalised, L and the accent are one
    assert why_not(melting, text("shop")) is None
    raw, raw_pattern = (
        text_rule(1, "exact", "Shop", raw=True),
        text_rule(2, "regex", "OK", raw=True),
    )
    anchored = text_rule(6, "regex", "^OK$", raw=True)
    negated = text_rule(3, "contains", "商城", **{"not": True})

    assert "exactly as typed (raw)" in (why_not(anchored, text("OK。")) or "")
    assert "exactly as typed (raw)" in (why_not(raw, text("shop!")) or "")
    assert "exactly as typed (raw)" in (why_not(raw_pattern, text("ok")) or "")
    assert "it excludes (not)" in (why_not(negated, text("去商城")) or "")
    assert "voice messages (voice)" in (
        why_not(text_rule(4, "exact", "商城"), voice("商城。")) or ""
    )
    assert why_not(text_rule(5, "exact", "商城"), voice("去商城")) is None


@pytest.mark.parametrize(
    ("on", "members", "message", "words"),
    [
        ("click", {"key": "SHOP"}, click("shop"), "letter case counts: it waits for SHOP"),
        ("click", {"key": "SHOP"}, click("SHOP_2"), "waits for SHOP alone, and SHOP_2 goes on"),
        (
            "click",
            {"key": "https://a.b"},
            view("https://a.b"),
            "waits for click, and this was view",
        ),
        ("scan", {"scene_prefix": "store-"}, scan("store_42"), "first 5 characters of store_42"),
        ("subscribe", {"scene": "shop"}, scan("shop"), "waits for subscribe, and this was scan"),
        ("scan", {"scene": "shop"}, follow(), "waits for shop, and there was none"),
        ("view", {"url": "https://a.b/c"}, view("https://a.b/"), "first 12 characters"),
        ("msgmenu", {"id": "yes"}, text("是", bizmsgmenuid="YES"), "letter case"),
        ("event", {"name": "kf-close"}, happening("kf_close"), "and this was kf_close"),
        ("fallback", {}, click("a"), "and this is an event"),
        (
            "location",
            {"latitude": 31.0, "longitude": 121.0, "radius_metres": 1000},
            place(31.01115, 121.0),
            "1,239.8 m away, and its radius is 1,000 m",
        ),
        (
            "location",
            {"latitude": 31.0, "longitude": 121.0, "radius_metres": 1000},
            happening("LOCATION", Latitude="x", Longitude="121"),
            "not given as degrees",
        ),
    ],
)
def test_an_event_that_nearly_fits_is_told_what_it_lacks(
    on: str, members: dict[str, Any], message: Inbound, words: str
) -> None:
    assert words in (why_not(rule(1, on, **members), message) or "")


@pytest.mark.parametrize(
    ("waiting", "message", "words"),
    [
        (rule(1, "click", key="SHOP"), text("是", bizmsgmenuid="SHOP"), "was a tapped answer"),
        (rule(1, "msgmenu", id="SHOP"), click("SHOP"), "it waits for a tapped answer (msgmenu)"),
        (rule(1, "event", name="msgmenu"), text("是", bizmsgmenuid="SHOP"), None),
        (rule(1, "event", name=MENU_ANSWER), text("是", bizmsgmenuid="SHOP"), None),
    ],
)
def test_a_tapped_answer_is_told_in_plain_words(
    waiting: Rule, message: Inbound, words: str | None
) -> None:
    reason = why_not(waiting, message)

    assert (reason is None) == (words is None)
    assert (words or "") in (reason or "")
    assert MENU_ANSWER not in (reason or "")


def test_a_result_of_another_template_or_status_is_a_near_miss_but_not_of_both() -> None:
    told = {"TemplateId": "T1", "SubscribeStatusString": "reject"}
    message = happening("subscribe_msg_popup_event", List=told)
    waiting = rule(1, "subscribe_msg", template="T1", status="accept")

    assert "status accept, and this was reject" in (why_not(waiting, message) or "")
    other = rule(1, "subscribe_msg", template="T2", status="reject")
    assert "template T2, and this was T1" in (why_not(other, message) or "")
    assert why_not(rule(1, "subscribe_msg", template="T2", status="accept"), message) is None


@pytest.mark.parametrize("message", [text("商城"), click("SHOP"), place(31, 121)])
def test_what_fits_but_for_the_account_or_the_switch_says_so(message: Inbound) -> None:
    waiting: list[tuple[str, dict[str, Any]]] = [
        ("text", {"match": "regex", "keyword": "^商"}),
        ("click", {"key": "SHOP"}),
        ("location", {"latitude": 31, "longitude": 121, "radius_metres": 1}),
    ]
    theirs = [
        rule(number, on, appid=OTHER_APPID, **members)
        for number, (on, members) in enumerate(waiting, 1)
    ]
    off = tuple(rule(number, on, **members) for number, (on, members) in enumerate(waiting, 11))

    found = reasons(explained(theirs, message, off=off))

    assert sorted(found.values()) == [
        f"it is for another account, {OTHER_APPID}",
        "it is switched off (enabled)",
    ]


def lost(*rules: Rule, most: int = 1) -> str:
    """Why the last of these loses."""
    return reasons(explained([*rules], text("商城优惠"), most=most))[rules[-1].id]


def test_a_rule_that_fits_and_loses_is_told_to_which_and_by_what() -> None:
    long, short = text_rule(7, "contains", "商城优惠"), text_rule(1, "contains", "商城")
    exact = text_rule(2, "exact", "商城优惠")

    assert lost(text_rule(2, "contains", "商城", priority=200), short) == (
        "rule 2 has the higher priority: 200, not 100"
    )
    assert lost(exact, short) == "rule 2 is more specific: exact goes before contains"
    assert lost(long, short) == "rule 7 has the longer keyword: 4 characters, not 2"
    assert lost(short, text_rule(3, "contains", "优惠")) == "rule 1 has the lower id"
    assert "2 better rules answer" in lost(exact, long, short, most=2)
    assert lost(short, rule(3, "fallback")) == "it is a fallback, and rule 1 answers"
    circles = [
        rule(number, "location", latitude=31, longitude=121, radius_metres=radius)
        for number, radius in ((1, 500), (2, 50))
    ]
    assert reasons(explained(circles, place(31, 121))) == {
        1: "rule 2 has the smaller circle: 50 m, not 500 m"
    }


@pytest.mark.parametrize(
    ("conditions", "words"),
    [
        (
            {"hours": {"start": "20:01", "end": "22:00", "days": [2]}},
            "from 20:01 to 22:00 on Tue, and it was Tue 20:00 Asia/Shanghai",
        ),
        (
            {"from": "2026-11-24T20:01:00+08:00"},
            "begins at 2026-11-24T20:01:00+08:00, and it was 2026-11-24T20:00:00+08:00",
        ),
        ({"until": "2026-11-24T12:00:00Z"}, "its period ended at 2026-11-24T12:00:00+00:00"),
        ({"share": {"percent": 0.01}}, "its share ends at 0.01 %, and this follower is drawn at"),
        ({"follower": {"state": "not_following"}}, "the follower has not unfollowed"),
        ({"follower": {"min_age_seconds": 3600}}, "followed for 60 s, and it answers from 3,600 s"),
        ({"follower": {"max_age_seconds": 59}}, "followed for 60 s, and it answers up to 59 s"),
        ({"unionid": "known"}, "the follower has no known UnionID"),
        ({"cooldown_seconds": 3600}, "1,800 s ago, and its cooldown is 3,600 s"),
    ],
)
def test_a_condition_that_does_not_hold_is_told_with_its_figures(
    conditions: dict[str, Any], words: str
) -> None:
    facts = Facts(
        following=True,
        followed_at=NOON - timedelta(minutes=1),
        fired={1: NOON - timedelta(minutes=30)},
    )
    asked = text_rule(1, "exact", "a", conditions=conditions)

    assert words in (why_not(asked, text("a"), facts=facts) or "")


def test_what_only_the_follower_decides_makes_a_rule_answer_some_of_them() -> None:
    shared = text_rule(1, "exact", "a", conditions={"share": {"percent": 30}}, priority=300)
    once = text_rule(2, "exact", "a", conditions={"cooldown_seconds": 60}, priority=200)
    over = text_rule(3, "exact", "a", conditions={"until": "2026-01-01T00:00:00Z"}, priority=150)
    rules = [shared, once, over, text_rule(4, "exact", "a"), text_rule(5, "contains", "a")]

    found = explained([*rules, rule(6, "fallback")], text("a"))

    assert [(winner.chosen.rule.id, winner.only_if) for winner in found.winners] == [
        (1, ("belongs to a share of 30 % of followers",)),
        (2, ("was not answered by it within 60 s (cooldown)",)),
        (4, ()),
    ]
    assert reasons(found).keys() == {3, 5, 6}


def test_a_follow_tells_itself_that_its_sender_follows() -> None:
    new = rule(1, "subscribe", conditions={"follower": {"state": "following"}})
    gone = rule(2, "subscribe", conditions={"follower": {"state": "not_following"}})

    found = explained([new, gone], follow())

    assert [winner.only_if for winner in found.winners] == [()]
    assert "not unfollowed" in reasons(found)[2]


def test_a_rule_that_does_not_compile_is_named_and_stops_nothing() -> None:
    trigger = text_rule(1, "regex", "a").trigger.model_copy(update={"keyword": "("})
    bad = Rule(1, "Bad", None, 100, trigger, ())

    found = explained([text_rule(2, "exact", "a")], text("a"), off=(bad,))

    assert [miss.rule.id for miss in found.broken] == [1]
    assert [winner.chosen.rule.id for winner in found.winners] == [2]


@given(RULES, MESSAGES)
def test_one_trigger_alone_fits_what_it_fits_among_all(rules: list[Rule], message: Inbound) -> None:
    for one in rules:
        account = AppId(one.appid or APPID)
        among = [*compile_rules([one], 1).matching(account, message)]
        assert matches(one.trigger, message, text_of(message)) == (among == [one])


@settings(max_examples=300)
@given(RULES, RULES, MESSAGES, FACTS, MOMENTS, st.integers(1, 4))
def test_every_rule_wins_or_misses_once_and_those_that_win_are_chosen(
    rules: list[Rule],
    off: list[Rule],
    message: Inbound,
    facts: Facts | None,
    now: datetime,
    most: int,
) -> None:
    off = [one for one in off if one.id not in {other.id for other in rules}]

    found = explained(rules, message, off=tuple(off), facts=facts, now=now, most=most)

    compiled = compile_rules(rules, 1, most)
    won = [winner.chosen for winner in found.winners]
    missed = [miss.rule.id for miss in found.near_misses]
    fitting = {one.id for one in compiled.matching(AppId(APPID), message)}
    assert len({*missed, *(choice.rule.id for choice in won)}) == len(missed) + len(won)
    assert fitting <= {*missed, *(choice.rule.id for choice in won)}
    if facts is not None:
        assert tuple(won) == compiled.choose(AppId(APPID), message, facts, now)
    elif not any(winner.only_if for winner in found.winners):
        assert tuple(won) == compiled.choose(AppId(APPID), message, Facts(), now)
