"""How one element is read: as an id, as an id that must be sure, and as what a person typed."""

import pytest

from app.wechat.ids import MAX_ID_CHARACTERS
from app.wechat.inbound.decode_elements import unambiguous, verbatim

LONGEST = "o" * MAX_ID_CHARACTERS


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (LONGEST, LONGEST),
        (f" {LONGEST}\n", LONGEST),
        (LONGEST + "o", None),
        (["oA", " oA ", ""], "oA"),
        (["oA", "oB"], None),
        ("  ", None),
        ([], None),
        (None, None),
        ({"Other": "oA"}, None),
    ],
)
def test_an_id_is_sure_if_it_is_one_and_not_too_long(value: object, expected: str | None) -> None:
    assert unambiguous(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (" as typed \n", " as typed \n"),
        ("", ""),
        (["", None, " first ", "second"], " first "),
        ([["", "inner"], "outer"], "inner"),
        (["", ""], ""),
        (None, ""),
        (17, ""),
        ({"Other": "text"}, ""),
    ],
)
def test_a_text_is_read_with_its_blanks_and_is_empty_if_there_is_none(
    value: object, expected: str
) -> None:
    assert verbatim(value) == expected
