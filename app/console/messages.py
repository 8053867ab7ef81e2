"""The texts of the console in Chinese: catalogues in gettext's format, and what marks a message.

A message is written in English, in the template or in the code, and that is its key. The Chinese
text is in `locale/zh/*.po`: one file for each part of the console, all read together. Babel
compiles them in memory when the first page is built, so there is no file to build when the package
is installed, and none that can be older than its source.
"""

import gettext
import io
from functools import cache
from pathlib import Path
from typing import Final

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

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
