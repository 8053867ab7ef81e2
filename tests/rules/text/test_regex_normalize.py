"""Patterns with full-width characters match texts of either width."""

from typing import Literal
from unicodedata import normalize

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.rules.matching.rule_set import compile_rules
from app.rules.text.regex_normalize import pattern_form
from app.wechat.ids import AppId
from tests.rules.makers import APPID, NOON, text, text_rule

Form = Literal["NFC", "NFD"]


def fits(pattern: str, content: str, *, raw: bool = False) -> bool:
    rules = compile_rules([text_rule(1, "regex", pattern, raw=raw)], 1)
    return bool(rules.choose(AppId(APPID), text(content), None, NOON))


@pytest.mark.parametrize(
    ("pattern", "content"),
    [
        ("多少钱？", "多少钱？"),
        ("多少钱？", "多少钱?"),
        (r"^预约，(\d+)号", "预约，１２号"),
        (r"^预约，(\d+)号", "预约,12号"),
        ("ＶＩＰ", "ＶＩＰ"),
        ("ＶＩＰ", "vip"),
        ("^你好[，。]?$", "你好，"),
        ("^[Ａ-Ｃ]（）$", "b()"),
        ("^Ｖ+＋$", "vv＋"),
        ("㎏$", "5 kg"),
        ("^ａ{２}$", "a{2}"),
        ("^ﾊﾞｽ+$", "バスス"),
        ("^\u0958+$", "\u0958\u0958"),
    ],
)
def test_a_pattern_fits_a_text_in_either_width(pattern: str, content: str) -> None:
    assert fits(pattern, content)


@pytest.mark.parametrize(
    ("pattern", "content"),
    [
        ("^café+$", "caféé"),
        ("^caf[eé]$", "café"),
        (r"^\Qcafé\E$", "café"),
        ("^한국?$", "한"),
    ],
)
@pytest.mark.parametrize("pattern_is", ["NFC", "NFD"])
@pytest.mark.parametrize("content_is", ["NFC", "NFD"])
def test_letters_written_with_their_accents_apart_are_the_same_letters(
    pattern: str, content: str, pattern_is: Form, content_is: Form
) -> None:
    assert fits(normalize(pattern_is, pattern), normalize(content_is, content))


def test_the_name_of_a_group_stays_as_it_is_written() -> None:
    name = normalize("NFD", "café")

    assert pattern_form(f"(?P<{name}>é)") == f"(?P<{name}>é)"


def test_a_full_width_question_mark_makes_nothing_optional() -> None:
    assert not fits("^多少钱？$", "多少钱")
    assert not fits("^[^，]$", ",")


def test_a_raw_pattern_is_held_against_the_text_as_typed() -> None:
    assert fits("ＶＩＰ", "ＶＩＰ", raw=True)
    assert not fits("ＶＩＰ", "VIP", raw=True)


@given(st.text("ab？，（）［］｛｝＊＋｜＾＄．＼１Ａ㎏", min_size=1).filter(str.strip))
def test_characters_of_another_width_stand_for_themselves(words: str) -> None:
    assert fits(pattern_form(words), words) == fits(words, words) is True
