"""Jinja2 as the templates of the console use it.

A template has these names beside what its route gives it: `_` and `ngettext` for messages, `ui` for
the macros of `components.html`, `static(name)` and `path(name)` for addresses, `language`, `zone`.
"""

from functools import cache
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from app.console import labels
from app.console.figures import Figures
from app.console.local_time import LocalTime
from app.console.messages import LANGUAGES, Messages
from app.console.static_files import static_path

FOLDER: Final = Path(__file__).with_name("templates")
MOUNTED_AT: Final = "/console"
COMPONENTS: Final = "components.html"


def console_path(path: str) -> str:
    """Return the path of a page for a link; path: below the console, as `/rules`."""
    return f"{MOUNTED_AT}{path}"


def compile_templates(zone: str) -> None:
    """Compile every template in each language, so that no visitor waits for it, nor a push."""
    for language in LANGUAGES:
        pages = environment(language, zone)
        for name in pages.list_templates():
            pages.get_template(name)


@cache
def environment(language: str, zone: str) -> Environment:
    """Return the templates in one language and with times in one zone."""
    pages = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
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
    }
    pages.globals["ui"] = pages.get_template(COMPONENTS).module
    return pages
