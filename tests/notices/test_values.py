"""What the types of values take, and which keys a template has."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.notices.template_keys import TemplateKey, keys_of
from app.notices.value_types import BadValue, value_for

FITS = {
    "number": ["0", "-12.50", "1" * 32],
    "letter": ["ABCz"],
    "symbol": ["+", "￥%"],
    "character_string": ["K-0088", "a" * 32],
    "time": ["18:00", "08:05:09", "2026-11-28 18:00", "2026年11月28日 18:00~2026年11月29日 18:00"],
    "date": [
        *("2026-11-28", "2026年11月28日", "2026/11/28", "2026.11.28", "11月28日", "2026年11月"),
        *("2026-11", "11-28", "2026年1月2日 18:00", "2026-11-28~2026-11-30", "11月28日 9:00~18:00"),
    ],
    "amount": ["￥12.50元", "100", "$5", "9999999999"],
    "phone_number": ["+86-0766-66888866", "10086"],
    "car_number": ["粤A8Z888挂"],
    "name": ["张三", "A" * 20],
    "phrase": ["待取"],
    "short_thing": ["待取货"],
    "const": ["快递"],
    "keyword": ["x" * 200],
}
DOES_NOT_FIT = {
    "number": ["1" * 33, "一", "1,000", "１２"],
    "letter": ["A1", "A" * 33],
    "symbol": ["a", "++++++"],
    "character_string": ["a" * 33, "取件"],
    "time": ["25:00", "noon", "18:00~19:00~20:00", "2026-11-28", "2026-11-28 24:00"],
    "date": ["tomorrow", "2026-11-28~", "18:00", "2026-13-28", "2026-11-32", "2026-11/28"],
    "amount": ["￥￥1", "12345678901", "1.234"],
    "phone_number": ["1" * 18, "abc"],
    "car_number": ["粤A8Z888挂12"],
    "name": ["张" * 11, "张" + "A" * 10, "A" * 21],
    "phrase": ["待取货物了吧", "ok"],
    "short_thing": ["待取货物了吧"],
    "keyword": ["x" * 201],
}


def key(kind: str, *choices: str) -> TemplateKey:
    return TemplateKey(f"{kind}1", "label", kind, choices)


@pytest.mark.parametrize(
    ("kind", "value"), [(kind, value) for kind, values in FITS.items() for value in values]
)
def test_a_value_that_fits_is_sent_as_it_is(kind: str, value: str) -> None:
    assert value_for(key(kind), f" {value} ") == value


@pytest.mark.parametrize(
    ("kind", "value"), [(kind, value) for kind, values in DOES_NOT_FIT.items() for value in values]
)
def test_a_value_that_does_not_fit_is_refused_with_a_fix(kind: str, value: str) -> None:
    with pytest.raises(BadValue, match=f"does not fit {kind}: "):
        value_for(key(kind), value)


@pytest.mark.parametrize("value", ["", "  ", "a\nb", "a\x00b", "\ud800"])
@pytest.mark.parametrize("kind", ["thing", "character_string", "keyword"])
def test_no_type_takes_nothing_or_a_line_break(kind: str, value: str) -> None:
    with pytest.raises(BadValue, match=r"is empty|remove it"):
        value_for(key(kind), value)


def test_a_thing_is_cut_to_twenty_characters() -> None:
    assert value_for(key("thing"), "一" * 20) == "一" * 20
    assert value_for(key("thing"), "一" * 21) == "一" * 19 + "…"


def test_an_enum_takes_its_choices_alone() -> None:
    assert value_for(key("enum_string", "待取", "已取"), "已取") == "已取"
    with pytest.raises(BadValue, match="待取, 已取"):
        value_for(key("enum_string", "待取", "已取"), "丢失")


@given(st.sampled_from(sorted({*FITS, "thing", "enum_string"})), st.text(max_size=60))
def test_what_is_accepted_is_short_and_printable(kind: str, value: str) -> None:
    try:
        sent = value_for(key(kind), value)
    except BadValue:
        return
    assert sent.strip() == sent != ""
    assert len(sent) <= (20 if kind == "thing" else 200)
    assert "\n" not in sent


def test_keys_are_read_from_the_content() -> None:
    content = "取件码:{{character_string1.DATA}}\r\n提示：{{ thing3.DATA }}\n{{first.DATA}}{{x.y}}"
    assert keys_of(content, {"thing3": ("a",)}) == [
        TemplateKey("character_string1", "取件码", "character_string"),
        TemplateKey("thing3", "提示", "thing", ("a",)),
    ]
    assert keys_of("{{phone_number12.DATA}}")[0].type == "phone_number"
    assert keys_of("nothing") == []


@given(st.text())
def test_any_content_can_be_read(content: str) -> None:
    assert len(keys_of(content + "{{thing1.DATA}}")) >= 1
