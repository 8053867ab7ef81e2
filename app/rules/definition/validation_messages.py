"""The messages that operators read, one for each kind of error that pydantic reports."""

from collections.abc import Mapping
from typing import Any, Final

from app.rules.definition.pattern_messages import PATTERN_MESSAGES

_TEXT: Final = "must be a text: put it in quotes"
_IN_JSON: Final = ", without quotes"
_WHOLE: Final = f"must be a whole number (an integer){_IN_JSON}"
_NUMBER: Final = f"must be a number{_IN_JSON}"
_DECIMAL: Final = "must be a number, such as 99.50"
_SWITCH: Final = f"must be true or false{_IN_JSON}"
_LIST: Final = "must be a list: write it as [ … ]"
_PART: Final = "must be an object: names with a value each"
_MOMENT: Final = "must be a date and time with a time zone: write it like 2026-11-24T12:00:00+08:00"
_UUID: Final = "is not an id as this API returns it: copy it unchanged, like 0190b3c2-…"
_DATE: Final = "must be a day: write it like 2026-11-24"

BAD_REGEX: Final = (
    "is not a regular expression that RE2 takes ({reason}): correct it, or use match "
    '"contains" for a plain word'
)
SLOW_REGEX: Final = (
    "takes {cost} ms to search in a text of 4 KB, and {most} ms is the most: use smaller counts "
    "than in a{0,999}, or fewer of them"
)
BAD_NORMALIZED_REGEX: Final = (
    "is not a regular expression after normalisation, which removes characters such as "
    'the variation selector U+FE0F ({reason}): correct it, or use "raw": true'
)

_WORDS: Final[Mapping[str, str]] = {
    "missing": "is missing: add it",
    "extra_forbidden": "is not known here: check its spelling, or remove it",
    "union_tag_not_found": "needs {discriminator}, which says what kind it is",
    "union_tag_invalid": "{discriminator} must be one of {expected_tags}",
    "literal_error": "must be one of {expected}",
    "enum": "must be one of {expected}",
    "json_invalid": "is not valid JSON: {error}",
    "string_unicode": "holds half of a character (a lone surrogate): type it again",
    "string_type": _TEXT,
    "string_too_short": "must have at least {min_length} character: write something",
    "string_too_long": "must have at most {max_length} characters: shorten it",
    "int_type": _WHOLE,
    "int_parsing": _WHOLE,
    "int_from_float": _WHOLE,
    "int_parsing_size": "is too large a number: make it smaller",
    "float_type": _NUMBER,
    "float_parsing": _NUMBER,
    "finite_number": "must be a finite number",
    "decimal_type": _DECIMAL,
    "decimal_parsing": _DECIMAL,
    "decimal_max_places": "must have at most {decimal_places} decimals: round it",
    "decimal_max_digits": "must have at most {max_digits} digits: make it smaller",
    "decimal_whole_digits": "must have at most {whole_digits} digits before the point: make it "
    "smaller",
    "greater_than": "must be more than {gt}",
    "greater_than_equal": "must be {ge} or more",
    "less_than": "must be less than {lt}",
    "less_than_equal": "must be {le} or less",
    "bool_type": _SWITCH,
    "bool_parsing": _SWITCH,
    "tuple_type": _LIST,
    "list_type": _LIST,
    "too_short": "must have at least {min_length}: add one",
    "too_long": "must have at most {max_length}: remove some",
    "dict_type": _PART,
    "mapping_type": _PART,
    "model_type": _PART,
    "model_attributes_type": _PART,
    "datetime_type": _MOMENT,
    "datetime_parsing": _MOMENT,
    "datetime_from_date_parsing": _MOMENT,
    "datetime_object_invalid": _MOMENT,
    "timezone_aware": _MOMENT,
    "value_error": "{error}",
    "uuid_type": _UUID,
    "uuid_parsing": _UUID,
    "date_type": _DATE,
    "date_parsing": _DATE,
    "date_from_datetime_parsing": _DATE,
    "date_from_datetime_inexact": _DATE,
}

# In a URL or a header, nothing has quotes.
_PLACES_OF_TEXT: Final = frozenset({("query",), ("path",), ("header",)})
_LENGTHS: Final = frozenset({"too_short", "too_long"})

# The field type in pydantic's error when the length is checked after a validator of ours.
_VALIDATED_TEXT: Final = "Value"
_UNUSUAL: Final = "can't be used: compare it with the description of this field under /docs"


def message_for(error: Mapping[str, Any]) -> str:
    """Return what one of pydantic's errors means, in one line that says how to correct it."""
    kind, context = error["type"], error.get("ctx", {})
    if "field" in context and kind != "missing":
        # Our own validators raise it, with a message that is written for operators.
        return str(error["msg"])
    if kind == "string_pattern_mismatch":
        return PATTERN_MESSAGES.get(context["pattern"], _UNUSUAL)
    if kind in _LENGTHS and context["field_type"] == _VALIDATED_TEXT:
        kind = f"string_{kind}"
    message = _WORDS.get(kind, _UNUSUAL).format(**context)
    # Those that we make ourselves, as for a document with too many rules, have no place.
    is_text = error.get("loc", ())[:1] in _PLACES_OF_TEXT
    return message.removesuffix(_IN_JSON) if is_text else message
