"""The texts of the console in Chinese: catalogues in gettext's format, and what marks a message.

A message is written in English, in the template or in the code, and that is its key. The Chinese
text is in `locale/zh/*.po`: one file for each part of the console, all read together. Babel
compiles them in memory when the first page is built, so there is no file to build when the package
is installed, and none that can be older than its source.
"""

import gettext
import io
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from markupsafe import Markup, escape

LOCALE_FOLDER: Final = Path(__file__).with_name("locale")
ENGLISH: Final = "en"
CHINESE: Final = "zh"
LANGUAGES: Final = (CHINESE, ENGLISH)


def N_(message: str) -> str:  # noqa: N802  # the name that gettext's tools look for
    """Mark a message that is translated later, where it is shown."""
    return message


def read_catalogue(path: Path) -> Catalog:
    """Return the catalogue of one file."""
    with path.open("rb") as file:
        return read_po(file, locale=CHINESE, abort_invalid=True)


@cache
def translations(language: str) -> gettext.NullTranslations:
    """Return the messages of a language."""
    if language == ENGLISH:
        return gettext.NullTranslations()
    merged = Catalog(locale=language)
    for path in sorted((LOCALE_FOLDER / language).glob("*.po")):
        for message in read_catalogue(path):
            if message.id:
                merged[message.id] = message
    compiled = io.BytesIO()
    write_mo(compiled, merged)
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


class Messages:
    """The messages of one language, as templates use them.

    What is returned is safe HTML: neither a message nor a value can bring markup into the page. A
    message without values is taken as it is; with values, `%(name)s` stands for one and `%%` for a
    per cent sign.
    """

    def __init__(self, language: str) -> None:
        self._translations = translations(language)

    def text(self, message: str, **values: object) -> Markup:
        """Return a message. An unknown one, as a name from the database, stays as it is."""
        # The empty text is the key of a catalogue's header.
        found = self._translations.gettext(message) if message else ""
        return _filled(found, values)

    def plural(self, one: str, many: str, number: int, **values: object) -> Markup:
        """Return the message for a number of things, which is also the value `num`."""
        return _filled(self._translations.ngettext(one, many, number), {"num": number, **values})

    def choices(self, messages: Mapping[str, str]) -> list[tuple[str, Markup]]:
        """Return (value, text) of each message, for a field that offers them."""
        return [(str(value), self.text(message)) for value, message in messages.items()]


def _filled(text: str, values: Mapping[str, object]) -> Markup:
    safe = escape(text)
    return safe % values if values else safe
