"""Every message has a Chinese text, with the same places for values; none is left over."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.catalog import Message
from babel.messages.extract import extract_from_dir
from jinja2.ext import babel_extract

from app.console.messages import CHINESE, LOCALE_FOLDER, Messages, read_catalogue
from app.console.static_files import FOLDER as STATIC
from app.console.template_environment import environment

CONSOLE = STATIC.parent
KEYWORDS = {"_": None, "gettext": None, "ngettext": (1, 2), "N_": None}
METHODS = [("**.py", "python"), ("templates/**.html", f"{babel_extract.__module__}:babel_extract")]
PLACE = re.compile(r"%\(\w+\)[sd]|\{\w+\}")
CJK = re.compile(r"[\u4e00-\u9fff]")
# Names, which are the same in both languages.
NAMES = {"AppID", "webhook", "ADMIN_TOKENS", "OpenID", "UnionID", "Webhooks"}
CATALOGUES = sorted((LOCALE_FOLDER / CHINESE).glob("*.po"))


def messages_of_the_code() -> set[str]:
    found = extract_from_dir(CONSOLE, METHODS, keywords=KEYWORDS)
    singular = (
        message[0] if isinstance(message, tuple) else message for _, _, message, *_ in found
    )
    return {str(message) for message in singular}


def key_of(message: Message) -> str:
    return str(message.id[0] if isinstance(message.id, tuple | list) else message.id)


def translated(path: Path) -> Iterator[tuple[str, list[str]]]:
    """Yield each message of a catalogue and its Chinese texts."""
    for message in read_catalogue(path):
        if message.id:
            texts = message.string if isinstance(message.string, tuple | list) else [message.string]
            yield key_of(message), [str(text) for text in texts if text]


def test_every_message_has_a_chinese_text_and_no_text_is_left_over() -> None:
    known = {key for path in CATALOGUES for key, texts in translated(path) if texts}
    used = messages_of_the_code()

    assert sorted(used - known) == [], "add them: app/console/locale/zh"
    assert sorted(known - used) == [], "remove them: app/console/locale/zh"


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.name)
def test_a_chinese_text_is_chinese_and_keeps_the_places_of_values(path: Path) -> None:
    for key, texts in translated(path):
        for text in texts:
            assert CJK.search(text) or key in NAMES, key
            assert sorted(PLACE.findall(text)) == sorted(PLACE.findall(key)), key


def test_no_message_stands_in_two_catalogues_with_different_texts() -> None:
    seen: dict[str, list[str]] = {}
    for path in CATALOGUES:
        for key, texts in translated(path):
            assert seen.setdefault(key, texts) == texts, f"{key} in {path.name}"


def test_no_message_and_no_value_brings_markup_into_a_page() -> None:
    page = environment("zh", "Asia/Shanghai").from_string(
        "{{ _(name) }}|{{ _('Type %(text)s to confirm:', text=name) }}|{{ _('') }}|{{ _('5 %') }}"
    )

    unknown, confirm, empty, plain = page.render(name="<b>%(x)s").split("|")
    assert unknown == "&lt;b&gt;%(x)s"
    assert confirm == "输入“&lt;b&gt;%(x)s”以确认："
    assert (empty, plain) == ("", "5 %")


def test_a_number_of_things_has_its_form() -> None:
    messages = Messages("en")

    assert str(messages.plural("%(num)s rule", "%(num)s rules", 1)) == "1 rule"
    assert str(messages.plural("%(num)s rule", "%(num)s rules", 2)) == "2 rules"
