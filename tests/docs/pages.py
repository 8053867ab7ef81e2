"""Reads a page: its headings, its fenced blocks, and the tables behind them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
LANGUAGES = ("en", "zh")

_FENCE = re.compile(r'^```(\w*)(?: title="([^"]+)")?\n(.*?)^```$', re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^(#+) ", re.MULTILINE)
_LINK = re.compile(r"\]\(([^)#\s]*)#?([^)\s]*)\)")
_CELLS = re.compile(r"(?<!\\)\|")
_CODE = re.compile("`([^`]+)`")

Row = tuple[list[str], ...]
"""A row of a table: of each cell what stands in backquotes, or else its plain text."""


@dataclass(frozen=True)
class Example:
    """A titled block of a page. rows: of the first table before the next block or heading."""

    title: str
    language: str
    content: str
    rows: tuple[Row, ...]


def page(language: str, name: str) -> str:
    """Return the text of a page."""
    return (DOCS / language / name).read_text(encoding="utf-8")


def blocks(text: str) -> list[tuple[str, str | None, str]]:
    """Return language, title and content of every fenced block."""
    return [(lang, title or None, content) for lang, title, content in _FENCE.findall(text)]


def without_blocks(text: str) -> str:
    """Return a page without its fenced blocks."""
    return _FENCE.sub("", text)


def heading_levels(text: str) -> list[int]:
    """Return the levels of the headings, in order."""
    return [len(marks) for marks in _HEADING.findall(without_blocks(text))]


def links(text: str) -> list[tuple[str, str]]:
    """Return target and anchor of every link inside the documentation."""
    found = _LINK.findall(without_blocks(text))
    return [(target, anchor) for target, anchor in found if "://" not in target]


def examples(text: str) -> list[Example]:
    """Return the titled blocks, each with the table behind it."""
    found = []
    for block in _FENCE.finditer(text):
        language, title, content = block.groups()
        if title is not None:
            behind = re.split(r"^(?:```|#)", text[block.end() :], maxsplit=1, flags=re.MULTILINE)[0]
            found.append(Example(title, language, content, tuple(table(behind))))
    return found


def table_under(text: str, anchor: str) -> list[Row]:
    """Return the rows of the table whose header begins with a certain cell."""
    return list(table(text[text.index(f"| {anchor} |") :]))


def table(text: str) -> Iterator[Row]:
    """Yield the rows of the first table, without its header."""
    lines = iter(text.splitlines())
    for line in lines:
        if line.startswith("|---"):
            break
    for line in lines:
        if not line.startswith("|"):
            return
        yield tuple(_CODE.findall(cell) or [cell.strip()] for cell in _CELLS.split(line)[1:-1])


def rows(text: str, *, beside: str = "") -> Iterator[list[str]]:
    """Yield the cells of every row of every table; beside: below this heading alone."""
    if beside:
        text = section(text, beside)
    for line in text.splitlines():
        if line.startswith("| "):
            yield [cell.strip() for cell in line.strip().strip("|").split("|")]


def section(text: str, heading: str) -> str:
    """Return what stands below a heading, up to the next one of its level."""
    level = heading.split(" ", maxsplit=1)[0]
    _, found, rest = text.partition(f"\n{heading}\n")
    assert found, heading
    return re.split(rf"\n#{{1,{len(level)}}} ", rest)[0]


def named(cell: str) -> list[str]:
    """Return what a cell names in code quotes."""
    return _CODE.findall(cell)
