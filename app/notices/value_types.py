"""What each type of value takes, checked before anything is queued. Pure.

WeChat refuses a value that does not fit with 47003, and counts characters, not bytes. Limits that
are not documented (`short_thing`, `const`) are the strictest that were seen, and a type that is not
known is checked for what no type takes. Source: protocol 9.3; linkage 2.3.
"""

import re
from collections.abc import Callable
from typing import Final

from app.notices.template_keys import TemplateKey

MAX_THING: Final = 20
MAX_OTHER: Final = 200
MAX_LONG: Final = 32
MAX_SYMBOLS: Final = 5
MAX_CHINESE_NAME: Final = 10
MAX_LATIN_NAME: Final = 20
MAX_OF_RANGE: Final = 2
_ELLIPSIS: Final = "…"

_CHINESE: Final = re.compile(r"[\u3400-\u9fff\U00020000-\U0003ffff]")
_NUMBER: Final = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?")
_LETTER: Final = re.compile(r"[A-Za-z]{1,32}")
_PHRASE: Final = re.compile(r"[\u3400-\u9fff\U00020000-\U0003ffff]{1,5}")
_PHONE: Final = re.compile(r"[0-9+\-() #*,]{1,17}")
_AMOUNT: Final = re.compile(r"[$¥￥€£₩₽₹฿]?[0-9]{1,10}(?:\.[0-9]{1,2})?元?")
_CLOCK: Final = r"(?:[01]?\d|2[0-3])[:：][0-5]\d(?:[:：][0-5]\d)?"
_MONTH: Final = "(?:0?[1-9]|1[0-2])"
_DAY: Final = "(?:0?[1-9]|[12][0-9]|3[01])"
_DATE: Final = (
    rf"(?:\d{{4}}年{_MONTH}月(?:{_DAY}日)?|\d{{4}}(?P<by>[-/.]){_MONTH}(?:(?P=by){_DAY})?"
    rf"|{_MONTH}月{_DAY}日|{_MONTH}[-/.]{_DAY})"
)
_TIME: Final = re.compile(rf"(?:{_DATE}\s*)?{_CLOCK}", re.ASCII)
_DAYS: Final = re.compile(rf"{_DATE}(?:\s*{_CLOCK})?", re.ASCII)
_NOT_PRINTED: Final = re.compile(r"[\x00-\x1f\x7f\u2028\u2029\ud800-\udfff]")


class BadValue(ValueError):
    """A value does not fit. The text says how to correct it."""


def value_for(key: TemplateKey, value: str) -> str:
    """Return the value as it is sent. Raises BadValue.

    Of all types only `thing` is cut: to 20 characters, of which the last one is an ellipsis.
    """
    text = value.strip()
    if not text:
        raise BadValue(f"is empty: give a value for {key.label or key.name}")
    if _NOT_PRINTED.search(text):
        raise BadValue("holds a line break or a control character: remove it")
    if key.choices and text not in key.choices:
        raise BadValue(f"is none of the values of this key: {', '.join(key.choices[:20])}")
    if key.type == "thing":
        return text if len(text) <= MAX_THING else text[: MAX_THING - 1] + _ELLIPSIS
    fits, rule = _TYPES.get(key.type, _OTHER)
    if not key.choices and not fits(text):
        raise BadValue(f"does not fit {key.type}: {rule}")
    return text


def _matches(pattern: re.Pattern[str]) -> Callable[[str], bool]:
    return lambda text: pattern.fullmatch(text) is not None


def _is_number(text: str) -> bool:
    return _NUMBER.fullmatch(text) is not None and sum(map(str.isdigit, text)) <= MAX_LONG


def _is_name(text: str) -> bool:
    # Mixed Chinese and Latin counts as Chinese.
    return len(text) <= (MAX_CHINESE_NAME if _CHINESE.search(text) else MAX_LATIN_NAME)


def _is_range(pattern: re.Pattern[str]) -> Callable[[str], bool]:
    """Take one value, or two that `~` joins. The second one may be a time of the same day."""

    def fits(text: str) -> bool:
        first, *others = (part.strip() for part in text.split("~"))
        return (
            len(others) < MAX_OF_RANGE
            and pattern.fullmatch(first) is not None
            and all(pattern.fullmatch(one) or _TIME.fullmatch(one) for one in others)
        )

    return fits


def _is_character_string(text: str) -> bool:
    return len(text) <= MAX_LONG and text.isascii()


def _is_symbol(text: str) -> bool:
    return len(text) <= MAX_SYMBOLS and not any(char.isalnum() for char in text)


def _at_most(characters: int) -> Callable[[str], bool]:
    return lambda text: len(text) <= characters


_Type = tuple[Callable[[str], bool], str]
_OTHER: Final[_Type] = (_at_most(MAX_OTHER), f"at most {MAX_OTHER} characters fit")
_TYPES: Final[dict[str, _Type]] = {
    "number": (_is_number, "write at most 32 digits, with a decimal point if needed"),
    "letter": (_matches(_LETTER), "write at most 32 letters from A to Z"),
    "symbol": (_is_symbol, "write at most 5 symbols, without letters and digits"),
    "character_string": (
        _is_character_string,
        "write at most 32 letters, digits and symbols, without Chinese characters",
    ),
    "time": (
        _is_range(_TIME),
        "write HH:MM or HH:MM:SS, perhaps with a date before it; ~ joins a range",
    ),
    "date": (
        _is_range(_DAYS),
        "write a date such as 2026-11-28 or 2026年11月28日, perhaps with a time; ~ joins a range",
    ),
    "amount": (
        _matches(_AMOUNT),
        "write at most one currency sign and 10 digits, perhaps with two decimals and 元",
    ),
    "phone_number": (_matches(_PHONE), "write at most 17 digits and symbols such as + and -"),
    "car_number": (_at_most(8), "write at most 8 characters"),
    "name": (_is_name, "write at most 10 characters with Chinese, or 20 without"),
    "phrase": (_matches(_PHRASE), "write at most 5 Chinese characters"),
    "short_thing": (_at_most(5), "write at most 5 characters"),
    "const": (_at_most(20), "write at most 20 characters"),
    "enum_string": (_at_most(20), "write at most 20 characters"),
}
