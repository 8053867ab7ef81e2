"""What a template may not hold, and the texts that it has."""

from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Final

from jinja2 import Environment

from app.console.template_environment import FOLDER

TEMPLATES: Final = sorted(FOLDER.rglob("*.html"))
# What a reader sees or hears of an attribute.
TEXT_ATTRIBUTES: Final = frozenset({"alt", "aria-label", "placeholder", "title"})
# Elements whose text is no sentence: code, keys, names of files.
CODE: Final = frozenset({"code", "kbd"})
# The names of the product and of a language, which are not translated.
NAMES: Final = frozenset({"OA Bridge", "· OA Bridge", "English", "中文"})
LEXED: Final = Environment()  # noqa: S701 - it renders nothing
EXPRESSION: Final = "\x00"


class Forbidden(HTMLParser):
    """Finds what the content security policy refuses, and what runs text as a program."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self._in_script = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Look at one element."""
        names = [name for name, _ in attrs]
        for name, value in attrs:
            inline = name == "style" or name.startswith(("on", "hx-on", "data-hx-on"))
            program = (value or "").strip().lower().startswith(("js:", "javascript:"))
            # A filter in brackets is run as a program, too.
            filtered = name == "hx-trigger" and "[" in (value or "")
            if inline or program or filtered:
                self.found.append(f"<{tag} {name}>")
        if tag == "style" or (tag == "script" and "src" not in names):
            self.found.append(f"<{tag}>")


class Texts(HTMLParser):
    """Collects what a reader sees and what is not a message."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self._open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Look at the attributes of one element."""
        self._open.append(tag)
        self.found += [value for name, value in attrs if name in TEXT_ATTRIBUTES and value]

    def handle_endtag(self, tag: str) -> None:
        """Leave an element."""
        if tag in self._open:
            del self._open[len(self._open) - 1 - self._open[::-1].index(tag) :]

    def handle_data(self, data: str) -> None:
        """Look at a text."""
        if not CODE & set(self._open):
            self.found.append(data)


def literal_texts(path: Path) -> Iterator[str]:
    """Yield every text of a template that is no message: it would be the same in each language."""
    for text in Texts(_without_expressions(path.read_text(encoding="utf-8"))).found:
        for part in text.split(EXPRESSION):
            words = part.strip()
            if any(character.isalpha() for character in words) and words not in NAMES:
                yield words


def _without_expressions(source: str) -> str:
    """Return the HTML of a template, with a mark for each expression and each statement."""
    parts, inside = [], False
    for _, token, value in LEXED.lex(source):
        if token in {"variable_begin", "block_begin", "comment_begin", "raw_begin"}:
            inside = True
            parts.append(EXPRESSION)
        elif token in {"variable_end", "block_end", "comment_end", "raw_end"}:
            inside = False
        elif token == "data" and not inside:
            parts.append(value)
    return "".join(parts)
