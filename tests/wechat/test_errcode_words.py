"""Every errcode has a meaning and a fix in both languages."""

from pathlib import Path
from typing import Final

import pytest

from app.wechat.errcodes import Language, explain
from app.wechat.errcodes.action import _CONFIGURATION, _REFRESH_TOKEN, _RETRY, _WAIT
from app.wechat.errcodes.explain import CATALOGUE

LIST: Final = Path(__file__).parents[1] / "data" / "errcodes.txt"
CODES: Final = [
    int(line) for line in LIST.read_text().splitlines() if line and not line.startswith("#")
]


def is_chinese(text: str) -> bool:
    return any("\u4e00" <= character <= "\u9fff" for character in text)


@pytest.mark.parametrize("errcode", CODES)
def test_each_errcode_of_the_references_is_explained_in_both_languages(errcode: int) -> None:
    english, chinese = explain(errcode, "en"), explain(errcode, "zh")

    for text in (english.meaning, english.fix):
        assert text.isascii()
        assert text[0].isupper()
        assert text.endswith(".")
    for text in (chinese.meaning, chinese.fix):
        assert is_chinese(text)
        assert text.endswith("。")
    assert str(errcode) not in english.meaning, "that is how an unknown errcode is told"


def test_the_list_is_whole_and_names_every_errcode_that_has_an_action() -> None:
    assert len(CODES) == len(set(CODES)) == len(CATALOGUE) > 220
    assert {*_RETRY, *_REFRESH_TOKEN, *_WAIT, *_CONFIGURATION} <= set(CODES)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_an_unknown_errcode_is_told_with_its_rid(language: Language) -> None:
    found = explain(99999, language, rid="6a-7b-8c")

    assert "99999" in found.meaning
    assert "6a-7b-8c" in found.fix
    assert explain(99999, language).fix != found.fix
