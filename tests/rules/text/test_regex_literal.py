"""A pattern that is looked up by its literal matches wherever RE2 alone finds it."""

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from app.rules.definition.triggers import TextTrigger
from app.rules.matching.rule_set import compile_rules
from app.rules.text.regex import BadPattern, compile_pattern
from app.rules.text.regex_literal import literal_of
from app.wechat.ids import AppId
from tests.rules.makers import APPID, NOON, text, text_rule

PIECES = (
    *"aK商,.?*+{}()[]|^$\\",
    *["{0}", "{2}", "{1,2}", "{,2}", "??", "+?", r"\Q", r"\E", r"\d", r"\.", r"\b", r"\\"],
    *["[aK]", "[^a]", "[^]", "[]a]", "[[:alpha:]]", "(?:", "(?i)", "(?P<n>", "(?-i:", r"\x{4b}"],
)
PATTERNS = st.lists(st.sampled_from(PIECES), min_size=1, max_size=8).map("".join)


@settings(max_examples=500)
@given(PATTERNS, st.text("aAkK商,.]{}0", max_size=10), st.booleans())
@example("aK(?i){0}", ".KK,A", False)
@example(r"{\Q}\E", "{}", False)
@example("K{2}a?商", "kk商", False)
def test_a_rule_fits_where_a_plain_search_finds_its_pattern(
    pattern: str, content: str, raw: bool
) -> None:
    try:
        compiled = compile_pattern(pattern, case_sensitive=raw)
    except BadPattern:
        assume(False)
    rules = compile_rules([text_rule(1, "regex", pattern, raw=raw)], 1)

    found = rules.choose(AppId(APPID), text(content), None, NOON)

    forms = {content} if raw else {content, content.strip(",.]{}") or content}
    # No rule for texts answers an empty one.
    expected = content != "" and any(compiled.search(form.encode()) for form in forms)
    assert bool(found) == expected


@pytest.mark.parametrize(
    ("pattern", "literal"),
    [
        ("多少钱", "多少钱"),
        ("^预约(\\d+)号$", "预约"),
        ("a+商城?店", "a"),
        (r"1\.5元", "1.5元"),
        ("[^]a]VIP", "vip"),
        (r"{\Q}\E", None),
        ("a{,2}商城", None),
        ("商城|店", None),
        ("(?i)商城", None),
        (r"商城\p{Han}", None),
        ("[a-z]*", None),
    ],
)
def test_a_literal_is_only_taken_from_what_is_fully_understood(
    pattern: str, literal: str | None
) -> None:
    assert literal_of(pattern) == literal


def test_an_open_quotation_can_be_saved_and_compiled() -> None:
    trigger = TextTrigger(on="text", match="regex", keyword=r"{\Q}" + "\\")

    compile_rules([text_rule(1, "regex", trigger.words()[0])], 1)
