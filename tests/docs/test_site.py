"""The site's navigation names every page once, in English and in Chinese alike."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import mermaid_fence
import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PROJECT = tomllib.loads((ROOT / "zensical.toml").read_text(encoding="utf-8"))["project"]
MERMAID = re.compile(r"^```mermaid\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def pages_of(nav: object) -> Iterator[str]:
    """Yield the pages that a part of the navigation names."""
    match nav:
        case str():
            yield nav
        case dict():
            yield from pages_of(list(nav.values()))
        case list():
            for part in nav:
                yield from pages_of(part)


NAMED = list(pages_of(PROJECT["nav"]))
PAGES = sorted(path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md"))


def in_language(language: str) -> list[str]:
    return [page.removeprefix(language) for page in NAMED if page.startswith(language)]


def drawings() -> list[str]:
    return [text for page in PAGES for text in MERMAID.findall((DOCS / page).read_text("utf-8"))]


def test_the_navigation_names_every_page_once_and_no_other() -> None:
    assert sorted(NAMED) == PAGES


def test_english_and_chinese_pages_stand_side_by_side() -> None:
    assert in_language("en/") == in_language("zh/") != []


def test_every_mermaid_drawing_has_its_svg_and_no_svg_is_left_over() -> None:
    wanted = {mermaid_fence.path_of(text) for text in drawings()}

    assert wanted == set(mermaid_fence.FOLDER.glob("*.svg"))


def test_a_drawing_without_its_svg_fails_the_build() -> None:
    with pytest.raises(mermaid_fence.DrawingMissing):
        mermaid_fence.draw("flowchart LR\n  nobody --> drew")


PICTURES = sorted((DOCS / "images").rglob("*.svg"))


@pytest.mark.parametrize("picture", PICTURES, ids=lambda path: path.name)
def test_a_picture_loads_nothing_from_elsewhere(picture: Path) -> None:
    text = re.sub(r'xmlns(:\w+)?="[^"]*"', "", picture.read_text(encoding="utf-8"))

    assert re.findall(r"https?://|@import|<script", text) == []
