"""Which messages and events each kind of trigger matches."""

import sys
import unicodedata
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.rules.definition.triggers import LocationTrigger
from app.rules.matching.event_index import MENU_ANSWER
from app.rules.matching.follower_facts import Facts
from app.rules.matching.geo import CircleIndex, metres_between
from app.rules.matching.rule_set import Rule, compile_rules
from app.rules.text.normalize import MAX_CHARACTERS, NormalizedText, normalise
from app.rules.text.regex import compile_pattern, search
from app.rules.text.regex_literal import literal_of
from app.wechat import outbound
from app.wechat.ids import AppId
from app.wechat.inbound import Inbound
from app.wechat.visible_text import visible
from tests.rules.makers import (
    APPID,
    NOON,
    OTHER_APPID,
    STICKER,
    follow,
    happening,
    image,
    place,
    rule,
    scan,
    sticker,
    text,
    text_rule,
    unfollow,
    view,
    voice,
)
from tests.rules.names import code_points


def chosen(rules: list[Rule], message: Inbound, most: int = 1) -> list[int]:
    compiled = compile_rules(rules, 1, most)
    return [a.rule.id for a in compiled.choose(AppId(APPID), message, Facts(), NOON)]


@pytest.mark.parametrize(
    ("keyword", "typed"),
    [
        ("wifi 密码", "ＷｉＦｉ\u3000 密码"),
        ("你好", "你好！！"),
        ("你好", "你好~"),
        ("你好", "你好～"),
        ("价格?", "价格"),
        ("价格？", "价格!"),
        ("❤️", "❤"),
        ("❤", "❤️"),
        ("你好", "“你好”"),
        ("c#", "C#"),
        ("?", "？"),
        ("straße", "STRASSE"),
    ],
)
def test_width_case_blanks_and_outer_punctuation_do_not_count(keyword: str, typed: str) -> None:
    assert chosen([text_rule(1, "exact", keyword)], text(typed)) == [1]


@pytest.mark.parametrize(
    ("match", "keyword", "fits", "fails"),
    [
        (
            "prefix",
            "【退款】",
            ["【退款】怎么办", "退款】怎么办", "“【退款】”", "【退款】"],
            ["退款怎么办"],
        ),
        ("prefix", "“商城", ["商城在哪", "…商城"], ["去商城"]),
        ("prefix", "价格:", ["价格：多少"], ["价格表"]),
        ("prefix", "?", ["？帮助", "?"], ["帮助"]),
        ("suffix", "在哪？", ["商城在哪", "商城在哪！", "在哪？"], ["在哪啊"]),
        ("suffix", "《退款》", ["怎么办《退款》", "怎么办《退款"], ["怎么办退款"]),
    ],
)
def test_punctuation_on_the_outer_side_of_a_beginning_or_an_end_does_not_count(
    match: str, keyword: str, fits: list[str], fails: list[str]
) -> None:
    rules = [text_rule(1, match, keyword)]

    assert [chosen(rules, text(typed)) for typed in fits] == [[1]] * len(fits)
    assert [chosen(rules, text(typed)) for typed in fails] == [[]] * len(fails)


@pytest.mark.parametrize("pattern", ["^❤$", "^❤\ufe0f$", "[❤\ufe0f]", "❤\ufe0f?$"])
@pytest.mark.parametrize("typed", ["❤", "❤\ufe0f"])
def test_the_coloured_form_of_a_character_does_not_count_in_a_pattern(
    pattern: str, typed: str
) -> None:
    assert chosen([text_rule(1, "regex", pattern)], text(typed)) == [1]


def test_punctuation_inside_and_symbols_do_count() -> None:
    assert chosen([text_rule(1, "exact", "你好吗")], text("你，好吗")) == []
    assert chosen([text_rule(1, "exact", "c")], text("c+")) == []


UNSEEN = (
    *(
        "\u200b",
        "\ufeff",
        "\u2060",
        "\u200e",
        "\u202c",
        "\u00ad",
        "\u200c",
        "\u200d",
        "\ufe0f",
        "\u034f",
    ),
    *(
        "\u061c",
        "\u115f",
        "\u1160",
        "\u17b4",
        "\u180e",
        "\u2800",
        "\u3164",
        "\uffa0",
        "\ufff9",
        "\x7f",
    ),
    *("\U0001d173", "\U000e0001", "\U000e0041", "\U000e0100"),
)
KEYWORDS = {
    "exact": ["0627"],
    "prefix": ["0627"],
    "suffix": ["0627"],
    "contains": ["0627"],
    "all": ["06", "27"],
    "any": ["0627", "别的"],
    "regex": ["^0627$"],
}


@pytest.mark.parametrize("unseen", UNSEEN, ids=code_points)
@pytest.mark.parametrize("raw", [False, True])
@pytest.mark.parametrize("match", KEYWORDS)
def test_what_cannot_be_seen_does_not_count_on_either_side(
    match: str, raw: bool, unseen: str
) -> None:
    clean = [text_rule(1, match, *KEYWORDS[match], raw=raw)]
    for typed in (f"{unseen}0627", f"0627{unseen}", f"06{unseen}27", f"06{unseen * 3}27{unseen}"):
        assert chosen(clean, text(typed)) == [1]
    first, *others = KEYWORDS[match]
    for pasted in (f"{unseen}{first}", f"{first}{unseen}", f"{first[:2]}{unseen}{first[2:]}"):
        rules = [text_rule(1, match, pasted, *others, raw=raw)]
        assert chosen(rules, text("0627")) == [1]
        assert chosen(rules, text(f"0{unseen}627")) == [1]


def test_every_format_character_of_unicode_counts_for_nothing_unless_it_is_drawn() -> None:
    drawn = {"\u06dd", "\u070f", "\u0890", "\u0891", "\u08e2", "\U000110bd", "\U000110cd"}
    drawn |= {chr(code) for code in range(0x0600, 0x0606)}
    formats = {
        character
        for character in map(chr, range(sys.maxunicode + 1))
        if unicodedata.category(character) == "Cf"
    }

    assert {character for character in formats if visible(f"a{character}b") != "ab"} == drawn


@pytest.mark.parametrize("raw", [False, True])
@pytest.mark.parametrize(
    ("emoji", "other"),
    [
        ("👩\u200d💻", "👩💻"),
        ("❤\ufe0f\u200d🔥", "❤🔥"),
        ("👩🏽\u200d💻", "👩🏽💻"),
        ("🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f", "🏴"),
    ],
)
def test_a_joiner_and_the_tags_of_a_flag_count_inside_an_emoji(
    emoji: str, other: str, raw: bool
) -> None:
    for match, keyword in (("exact", emoji), ("regex", f"^{emoji}$")):
        rules = [text_rule(1, match, keyword, raw=raw)]
        assert chosen(rules, text(emoji)) == [1]
        assert chosen(rules, text(emoji.replace("\ufe0f", ""))) == [1]
        assert chosen(rules, text(other)) == []
    assert chosen([text_rule(1, "exact", other, raw=raw)], text(emoji)) == []
    assert chosen([text_rule(1, "exact", other, raw=raw)], text(f"\u200d{other}\u200d")) == [1]


def test_a_joiner_that_stands_beside_the_syntax_of_a_pattern_counts() -> None:
    rules = [
        text_rule(1, "regex", "^👩(?:\u200d)?(💻|🔬)$"),
        text_rule(2, "regex", "[👩\u200d]{3}"),
    ]

    assert chosen(rules, text("👩\u200d💻")) == [1]
    assert chosen(rules, text("👩💻")) == [1]
    assert chosen(rules, text("👩\u200d👩")) == [2]


def test_the_longer_keyword_is_the_one_of_which_more_is_seen() -> None:
    rules = [text_rule(1, "contains", "会\u200b\u200b员"), text_rule(2, "contains", "会员卡")]

    assert chosen(rules, text("会员卡")) == [2]


EMPTY = ["", " ", "\u3000", " \t\r\n\u3000", "\u200b", "\ufeff \u2060", "\u3164"]


@pytest.mark.parametrize("typed", EMPTY, ids=code_points)
@pytest.mark.parametrize("said", [text, voice], ids=["text", "voice"])
def test_a_text_of_which_nothing_is_seen_meets_no_rule_but_a_fallback(
    said: Callable[[str], Inbound], typed: str
) -> None:
    rules = [
        text_rule(1, "regex", ".*", voice=True),
        text_rule(2, "regex", r"^\s*$", raw=True, voice=True),
        text_rule(3, "exact", "商城", voice=True, **{"not": True}),
        text_rule(4, "regex", "x*", voice=True, **{"not": True}),
    ]

    assert chosen(rules, said(typed)) == []
    assert chosen([*rules, rule(9, "fallback")], said(typed)) == [9]


def test_a_sticker_meets_no_keyword_but_its_own_trigger_and_then_a_fallback() -> None:
    rules = [
        text_rule(1, "contains", "消息"),
        text_rule(2, "regex", ".*", raw=True),
        text_rule(3, "exact", STICKER),
        text_rule(4, "exact", "商城", **{"not": True}),
        rule(5, "event", name="unsupported"),
    ]

    assert chosen(rules, sticker()) == []
    assert chosen([*rules, rule(9, "fallback")], sticker()) == [9]
    assert chosen([*rules, rule(8, "unsupported"), rule(9, "fallback")], sticker()) == [8]
    assert chosen([rule(8, "unsupported", appid=OTHER_APPID)], sticker()) == []
    assert chosen([rule(8, "unsupported")], text("消息")) == []
    assert chosen([rule(8, "unsupported")], image()) == []


def test_a_tapped_item_answers_even_if_nothing_of_its_text_is_seen() -> None:
    rules = [rule(1, "msgmenu", id="yes"), text_rule(2, "regex", ".*")]

    assert chosen(rules, text("\u3000", bizmsgmenuid="yes")) == [1]


def test_a_raw_rule_compares_exactly_as_typed() -> None:
    rules = [text_rule(1, "exact", "Shop", raw=True), text_rule(2, "regex", "^OK$", raw=True)]

    assert chosen(rules, text("Shop")) == [1]
    assert chosen(rules, text("shop")) == []
    assert chosen(rules, text("Shop!")) == []
    assert chosen(rules, text("OK")) == [2]
    assert chosen(rules, text("ok")) == []


@pytest.mark.parametrize(
    ("match", "keywords", "fits", "fails"),
    [
        ("suffix", ["在哪"], "商城在哪？", "在哪啊"),
        ("all", ["订单", "退"], "我要退这个订单", "我的订单"),
        ("any", ["退货", "退款"], "怎么退款", "怎么退"),
    ],
)
def test_the_other_kinds_of_match(match: str, keywords: list[str], fits: str, fails: str) -> None:
    rules = [text_rule(1, match, *keywords)]

    assert chosen(rules, text(fits)) == [1]
    assert chosen(rules, text(fails)) == []


@pytest.mark.parametrize("match", ["exact", "prefix", "suffix", "contains", "regex"])
def test_a_negated_rule_answers_whatever_does_not_fit(match: str) -> None:
    rules = [text_rule(1, match, "商城", **{"not": True})]

    assert chosen(rules, text("商城")) == []
    assert chosen(rules, text("你好")) == [1]
    assert chosen(rules, image()) == []


def test_a_longer_keyword_goes_before_a_shorter_one() -> None:
    rules = [text_rule(1, "contains", "商城"), text_rule(2, "contains", "商城优惠")]

    assert chosen(rules, text("商城优惠券")) == [2]


def test_every_mode_answers_up_to_the_limit_best_first_and_no_fallback_beside() -> None:
    rules = [
        rule(1, "fallback"),
        text_rule(2, "contains", "商"),
        text_rule(3, "exact", "商城"),
        text_rule(4, "regex", "城"),
    ]

    assert chosen(rules, text("商城"), most=2) == [3, 2]
    assert chosen(rules, text("商城"), most=9) == [3, 2, 4]
    assert chosen(rules, text("你好"), most=9) == [1]


def test_a_voice_message_is_heard_only_by_rules_that_ask_for_it() -> None:
    rules = [text_rule(1, "exact", "商城"), text_rule(2, "exact", "商城", voice=True)]

    assert chosen(rules, voice("商城。")) == [2]
    assert chosen(rules, voice("")) == []
    assert chosen([rule(3, "fallback")], voice("")) == [3]


def test_a_scene_prefix_takes_every_scene_that_starts_so() -> None:
    rules = [
        rule(1, "scan", scene_prefix="store_"),
        rule(2, "scan", scene_prefix="store_00"),
        rule(3, "scan", scene="store_0042"),
        rule(4, "subscribe", scene_prefix="ad_"),
    ]

    assert chosen(rules, scan("store_1")) == [1]
    assert chosen(rules, follow("store_0041")) == [2]
    assert chosen(rules, scan("store_0042")) == [3]
    assert chosen(rules, follow("ad_7")) == [4]
    assert chosen(rules, scan("ad_7")) == []


def test_pages_of_the_menu_by_address_beginning_or_any() -> None:
    rules = [
        rule(1, "view"),
        rule(2, "view", url_prefix="https://example.com/"),
        rule(3, "view", url="https://example.com/shop"),
        rule(4, "view_miniprogram", pagepath_prefix="pages/"),
    ]

    assert chosen(rules, view("https://example.org")) == [1]
    assert chosen(rules, view("https://example.com/a")) == [2]
    assert chosen(rules, view("https://example.com/shop")) == [3]
    assert chosen(rules, happening("view_miniprogram", EventKey="pages/index")) == [4]


def test_a_tapped_answer_goes_before_the_text_that_it_says() -> None:
    rules = [text_rule(1, "exact", "满意"), rule(2, "msgmenu", id="101")]

    assert chosen(rules, text("满意", bizmsgmenuid="101")) == [2]
    assert chosen(rules, text("满意", bizmsgmenuid="102")) == [1]
    assert chosen(rules, text("满意")) == [1]


@pytest.mark.parametrize("content", ["查123", "查123。", "【查１２３】", "~查123 ！"])
@pytest.mark.parametrize("more", [0, 40])
def test_punctuation_around_a_text_does_not_count_for_patterns(content: str, more: int) -> None:
    held = [text_rule(1, "regex", r"^查(\d+)$"), text_rule(2, "regex", r"^\D(?P<n>[0-9]{3})$")]
    others = [text_rule(100 + number, "regex", f"^x{number}?$") for number in range(more)]

    assert chosen([*held, *others], text(content), most=3) == [1, 2]
    assert chosen([text_rule(1, "regex", r"^查\d+$", **{"not": True})], text(content)) == []
    assert chosen([text_rule(1, "regex", r"^查[0-9]+$", raw=True)], text("查123。")) == []


def test_a_pattern_that_wants_punctuation_around_a_text_still_finds_it() -> None:
    rules = [
        text_rule(1, "regex", "^【.*】$"),
        text_rule(2, "regex", r"\?$"),
        text_rule(3, "regex", "^[^。]+$"),
    ]

    assert chosen(rules, text("【查】"), most=3) == [1, 3]
    assert chosen(rules, text("？"), most=3) == [2, 3]
    assert chosen(rules, text("查。"), most=3) == [3]


def test_captures_are_of_the_text_with_its_punctuation_if_that_fits() -> None:
    answer = outbound.Text(via="passive", content="{1}")
    greedy, bound = (
        replace(text_rule(number, "regex", pattern), replies=(answer,))
        for number, pattern in ((1, "^查(.+)$"), (2, r"^查(\d+)$"))
    )

    found = compile_rules([greedy, bound], 1, 2).choose(AppId(APPID), text("查12。"), None, NOON)

    assert [choice.captures["1"] for choice in found] == ["12。", "12"]


def test_notification_results_by_template_and_status() -> None:
    rules = [
        rule(1, "subscribe_msg"),
        rule(2, "subscribe_msg", status="reject"),
        rule(3, "subscribe_msg", template="T1", status="accept"),
        rule(4, "subscribe_msg", status="failed"),
        rule(5, "subscribe_msg", status="sent"),
    ]

    def asked(template: str, status: str) -> Inbound:
        told = {"TemplateId": template, "SubscribeStatusString": status}
        return happening("subscribe_msg_popup_event", List=told)

    def sent(code: str) -> Inbound:
        told = {"TemplateId": "T1", "MsgID": "1", "ErrorCode": code, "ErrorStatus": "x"}
        return happening("subscribe_msg_sent_event", List=told)

    assert chosen(rules, asked("T1", "accept")) == [3]
    assert chosen(rules, asked("T2", "reject")) == [2]
    assert chosen(rules, asked("T2", "accept")) == [1]
    assert chosen(rules, sent("0")) == [5]
    assert chosen(rules, sent("43101")) == [4]


def test_a_place_within_the_smallest_circle_wins_and_a_report_counts_too() -> None:
    rules = [
        rule(number, "location", latitude=31.2304, longitude=121.4737, radius_metres=radius)
        for number, radius in ((1, 50_000), (2, 500))
    ]
    report = happening("LOCATION", Latitude="31.2304", Longitude="121.4740", Precision="10")

    assert chosen(rules, place(31.2310, 121.4737)) == [2]
    assert chosen(rules, place(31.4, 121.4737)) == [1]
    assert chosen(rules, report) == [2]
    assert chosen(rules, place(39.9, 116.4)) == []
    assert chosen(rules, happening("LOCATION", Latitude="x", Longitude="nan")) == []


def test_distances_are_those_of_the_earth() -> None:
    assert metres_between((39.9042, 116.4074), (31.2304, 121.4737)) == pytest.approx(
        1_067_300, rel=1e-3
    )
    assert metres_between((0, 179.9), (0, -179.9)) == pytest.approx(22_239, rel=1e-3)


def circle(north: float, east: float, radius: float) -> LocationTrigger:
    return LocationTrigger(on="location", latitude=north, longitude=east, radius_metres=radius)


NORTH, EAST = st.floats(-90, 90) | st.sampled_from([31.0, 31.01, 90.0]), st.floats(-180, 180)
RADII = st.floats(0.001, 1_000_000) | st.sampled_from([511.0, 512.0, 1112.0])


@given(st.lists(st.builds(circle, NORTH, EAST, RADII), max_size=20), st.tuples(NORTH, EAST))
def test_circles_by_latitude_are_those_around_a_point(
    circles: list[LocationTrigger], point: tuple[float, float]
) -> None:
    around = CircleIndex(enumerate(circles)).around(point)

    assert sorted(around) == [
        number
        for number, one in enumerate(circles)
        if metres_between((one.latitude, one.longitude), point) <= one.radius_metres
    ]


def test_circles_far_in_the_north_or_south_are_not_measured() -> None:
    shops = CircleIndex((number, circle(number / 100, 121.0, 500)) for number in range(4000))

    assert [number for number, _ in shops.reaching(31.0)] == [3100]


def test_an_event_without_a_trigger_of_its_own_is_found_by_name() -> None:
    rules = [rule(1, "event", name="Brand_New_Event"), rule(2, "event", name="kf_close_session")]

    assert chosen(rules, happening("brand_new_event")) == [1]
    assert chosen(rules, happening("kf_close_session")) == [2]


def test_a_tapped_answer_is_no_event_whatever_its_name() -> None:
    named = [rule(1, "event", name="msgmenu"), rule(2, "event", name=MENU_ANSWER)]
    tapped = text("满意", bizmsgmenuid="101")

    assert chosen(named, tapped) == []
    assert chosen([*named, rule(3, "msgmenu", id="101")], tapped) == [3]
    assert chosen([rule(3, "msgmenu", id="101")], happening("msgmenu", EventKey="101")) == []
    assert chosen([rule(3, "msgmenu", id="101")], happening(MENU_ANSWER, EventKey="101")) == []
    assert chosen(named, happening("MsgMenu")) == [1]


def test_an_unfollow_is_marked_by_its_own_trigger_alone() -> None:
    assert chosen([rule(1, "unsubscribe"), rule(2, "fallback")], unfollow()) == [1]


def test_only_the_beginning_of_an_endless_text_is_looked_at() -> None:
    rules = [text_rule(1, "contains", "商城"), text_rule(2, "regex", "城$")]

    assert chosen(rules, text("a" * MAX_CHARACTERS + "商城")) == []
    assert chosen(rules, text("a" * (MAX_CHARACTERS - 2) + "商城")) == [1]


@given(st.text())
def test_normalising_twice_changes_nothing(typed: str) -> None:
    once = normalise(typed)

    assert normalise(once) == once


PIECES = st.lists(
    st.sampled_from(
        [
            "a",
            "K",
            "商城",
            "é",
            "ſ",
            r"\.",
            r"\d",
            "[ab]",
            "(x|y)",
            "(商)",
            "?",
            "*",
            "+",
            "{0,2}",
            "{1}",
            "^",
            "$",
            ".",
            "|",
            r"\p{Han}",
            r"\x41",
            "[^]a]",
            r"[\]b]",
            "(?i:Q)",
            " ",
        ]
    ),
    min_size=1,
    max_size=7,
).map("".join)


@given(PIECES, st.text("aAkKſ商城éÉqQxyA.1 ", max_size=12))
def test_a_pattern_is_found_only_where_its_literal_is(pattern: str, typed: str) -> None:
    try:
        compiled = compile_pattern(pattern)
    except ValueError:
        return
    form = NormalizedText(typed)
    if search(compiled, form.shown_forms) is not None:
        assert (literal_of(pattern) or "") in form.shown.casefold()


@pytest.mark.parametrize(
    ("pattern", "literal"),
    [
        ("订单[0-9]+", "订单"),
        ("^(你好|您好)$", None),
        ("查询?订单", "订单"),
        ("a|b", None),
        ("Wi-Fi密码", "wi-fi密码"),
        (r"价格\.表", "价格.表"),
        ("[商城]+", None),
    ],
)
def test_literals_are_what_every_match_holds(pattern: str, literal: Any) -> None:  # noqa: ANN401 - text or nothing
    assert literal_of(pattern) == literal
