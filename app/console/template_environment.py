"""Jinja2 as the templates of the console use it.

A template has these names beside what its route gives it: `_` and `ngettext` for messages, `ui` for
the macros of `components.html`, `static(name)` and `path(name)` for addresses, `language`, `zone`.
"""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from app.console import labels
from app.console.figures import Figures
from app.console.local_time import LocalTime
from app.console.messages import translations
from app.console.static_files import static_path

FOLDER: Final = Path(__file__).with_name("templates")
MOUNTED_AT: Final = "/console"
COMPONENTS: Final = "components.html"


def console_path(path: str) -> str:
    """Return the path of a page for a link; path: below the console, as `/rules`."""
    return f"{MOUNTED_AT}{path}"


@cache
def environment(language: str, zone: str) -> Environment:
    """Return the templates in one language and with times in one zone."""
    texts = translations(language)
    pages = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
        auto_reload=False,
    )
    pages.install_gettext_translations(texts, newstyle=True)  # type: ignore[attr-defined]  # of the extension

    def translated(messages: Mapping[str, str]) -> list[tuple[str, str]]:
        """Return (value, text) of each message, for a choice."""
        return [(str(value), texts.gettext(message)) for value, message in messages.items()]

    time = LocalTime(language, zone)
    figures = Figures(language)
    pages.globals |= {
        "language": language,
        "zone": time.zone_name,
        "static": lambda name: console_path(static_path(name)),
        "path": console_path,
        "labels": labels,
        "translated": translated,
    }
    pages.filters |= {
        "local_time": time.format,
        "local_day": time.format_day,
        "iso_time": time.iso,
        "number": figures.number,
        "percent": figures.percent,
        "change": figures.change,
        "bytes": lambda text: len(str(text).encode()),
    }
    pages.globals["ui"] = pages.get_template(COMPONENTS).module
    return pages
