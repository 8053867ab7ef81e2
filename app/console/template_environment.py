"""Jinja2 as the templates of the console use it.

A template has these names beside what its route gives it: `_` and `ngettext` for messages, `ui` for
the macros of `components.html`, `static(name)` and `path(name)` for addresses, `language`, `zone`.
"""

import asyncio
from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from pathlib import Path
from threading import Lock
from types import CodeType
from typing import Final

from jinja2 import BytecodeCache, Environment, FileSystemLoader, StrictUndefined
from jinja2.bccache import Bucket

from app.console import labels
from app.console.failure_phrases import failures_in
from app.console.figures import Figures
from app.console.local_time import LocalTime
from app.console.messages import ENGLISH, LANGUAGES, Messages
from app.console.static_files import static_path
from app.db.stored_enum import is_known
from app.rules.background import background_work

FOLDER: Final = Path(__file__).with_name("templates")
MOUNTED_AT: Final = "/console"
COMPONENTS: Final = "components.html"


def console_path(path: str) -> str:
    """Return the path of a page for a link; path: below the console, as `/rules`."""
    return f"{MOUNTED_AT}{path}"


async def compile_templates(zone: str) -> None:
    """Compile every template in each language, so that no visitor waits for it, nor a push.

    It takes a second of a processor, for which a process that replaces a killed one must not keep
    pushes waiting: it is to run beside them.
    """
    for language in LANGUAGES:
        pages = await asyncio.to_thread(environment, language, zone)
        if pages in _compiled:  # by another application of this process
            continue
        for name in pages.list_templates():
            await asyncio.to_thread(_compile, pages, name)
        _compiled.add(pages)


def _compile(pages: Environment, name: str) -> None:
    with background_work():
        pages.get_template(name)


class _SharedCode(BytecodeCache):
    """Keeps the code of the templates in memory, since it is the same in every language."""

    def __init__(self) -> None:
        self._code: dict[str, CodeType | None] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """Give a template its code if it was compiled in another language."""
        bucket.code = self._code.get(bucket.key)

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep the code of a template."""
        self._code[bucket.key] = bucket.code


_shared_code: Final = _SharedCode()
_compiled: Final = set[Environment]()
_making: Final = Lock()


def environment(language: str, zone: str) -> Environment:
    """Return the templates in one language and with times in one zone.

    There is one of each, whoever asks for it at once: a page, and what compiles templates.
    """
    with _making:
        return _environment(language, zone)


class _Pages(Environment):
    """Templates that show a value of a newer release as it is stored: `names[value]` is so."""

    def getitem(self, obj: object, argument: object) -> object:
        """Return an item of a value, as `obj[argument]` in a template."""
        if isinstance(argument, StrEnum) and not is_known(argument) and isinstance(obj, Mapping):
            return labels.named(obj, argument)
        return super().getitem(obj, argument)


@cache
def _environment(language: str, zone: str) -> Environment:
    pages = _Pages(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        bytecode_cache=_shared_code,
    )
    messages = Messages(language)
    time = LocalTime(language, zone)
    figures = Figures(language)
    pages.globals |= {
        "language": language,
        "zone": time.zone_name,
        "static": lambda name: console_path(static_path(name)),
        "path": console_path,
        "labels": labels,
        # Between words: a full-width sign has its space in itself.
        "colon": ": " if language == ENGLISH else "：",
        "comma": ", " if language == ENGLISH else "、",
        "gap": " " if language == ENGLISH else "",
        "_": messages.text,
        "ngettext": messages.plural,
        "translated": messages.choices,
    }
    pages.filters |= {
        "local_time": time.format,
        "local_day": time.format_day,
        "iso_time": time.iso,
        "number": figures.number,
        "percent": figures.percent,
        "change": figures.change,
        "bytes": lambda text: len(str(text).encode()),
        "failure": failures_in(language),
    }
    pages.globals["ui"] = pages.get_template(COMPONENTS).module
    return pages
