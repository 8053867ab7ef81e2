"""What is wrong with a file or a list of codes stands in the language of the page."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.access.roles import Role
from app.codes.errors import BadCodes
from app.codes.read_csv import MAX_LINE, CodeReader
from app.console.file_phrases import PHRASES
from app.console.messages import translations
from app.phrases import in_language
from app.qrcodes.errors import KeyTaken, ScenesTaken, TooManyCodes
from app.qrcodes.list_csv import MAX_CODES, BadList, read_list
from tests.console import made_campaigns
from tests.console.operator import FROM_A_PAGE, signed_in
from tests.service import APPID, Service

# The names of columns and of encodings are the same in both languages.
ENGLISH = re.compile(r"(?<![A-Za-z])(?!CSV|UTF|name|scene|qrscene_)[A-Za-z]{3,}")
FILES = (
    b"",
    b"code\n\n",
    b"a b\n",
    b"AAAA\n\xff\n",
    b'"AAAA\n',
    b'"AA"AA\n',
    b"A" * (MAX_LINE + 1) + b"\n",
    b"name,name\n",
    b"1,2,3\n",
    b"1,2 2\n",
    b"1,qrscene_1\n",
    b"1,2\n3,2\n",
    b"1" * 101 + b"\n",
    b"1\n" * (MAX_CODES + 1),
)
PARTS = st.sampled_from(
    ["code", "name", "scene", "qrscene_1", "12345", ",", '"', "\n", " ", "\x00", "宝"]
)


def problems(content: bytes) -> list[str]:
    """Return what is wrong with a file of codes, and with a list of QR codes."""
    found: list[str] = []
    reader = CodeReader()
    try:
        reader.feed(content)
        reader.end()
    except BadCodes as error:
        found += error.problems
    try:
        read_list(content)
    except BadList as error:
        found.append(str(error))
    return found


def chinese(sentence: str) -> str:
    return in_language(sentence, PHRASES, translations("zh").gettext)


@pytest.mark.parametrize("content", FILES, ids=range(len(FILES)))
def test_what_is_wrong_with_a_file_is_said_in_chinese(content: bytes) -> None:
    found = problems(content)

    assert found
    assert [text for text in map(chinese, found) if ENGLISH.search(text)] == []


@given(st.lists(PARTS, max_size=12).map("".join))
def test_whatever_a_file_holds_is_refused_in_chinese(text: str) -> None:
    found = problems(text.encode())

    assert [text for text in map(chinese, found) if ENGLISH.search(text)] == []


@pytest.mark.parametrize(
    "error",
    [
        ScenesTaken(["1", "2"]),
        ScenesTaken([str(number) for number in range(30)]),
        TooManyCodes("permanent", 10),
        TooManyCodes("temporary", 10),
        KeyTaken("1"),
    ],
    ids=str,
)
def test_a_list_that_the_account_does_not_take_is_refused_in_chinese(error: Exception) -> None:
    assert ENGLISH.search(chinese(str(error))) is None


def test_every_sentence_has_a_chinese_text() -> None:
    assert [phrase for phrase in PHRASES if translations("zh").gettext(phrase) == phrase] == []


async def test_the_pages_say_it_in_chinese_and_in_english(service: Service) -> None:
    campaign = (await made_campaigns.a_campaign(service)).partition("?")[0]
    lines = {"list_appid": APPID, "names": "1,qrscene_1", "list_kind": "temporary"}
    said = {}
    for language in ("zh", "en"):
        async with signed_in(service, Role.EDITOR, name=language, language=language) as editor:
            file = await editor.http.post(
                f"/console{campaign}/codes",
                files={"file": ("codes.csv", b"a b\n", "text/csv")},
                headers=FROM_A_PAGE,
            )
            said[language] = file.text + (await editor.post("/qrcodes/lists/add", lines)).text

    for text in ("line 1: a code has", "line 1: the scene can"):
        assert text in said["en"]
        assert text not in said["zh"]
    for text in ("第 1 行：兑换码只能由", "第 1 行：场景值不能以 qrscene_ 开头"):
        assert text in said["zh"]
