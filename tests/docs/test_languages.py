"""The pages of both languages hold the same, and lead to places that exist."""

import re

import pytest

from tests.docs.pages import DOCS, LANGUAGES, blocks, heading_levels, links, page

PAGES = (
    "console.md",
    "rules.md",
    "keywords.md",
    "personal-data.md",
    "security.md",
    "limits.md",
    "doctor.md",
)

_TITLE = re.compile(r"^#+ (.+)$", re.MULTILINE)


def anchor_of(title: str) -> str:
    """Return the anchor of a heading, as GitHub makes it."""
    kept = "".join(char for char in title.lower() if char.isalnum() or char in " -_")
    return kept.replace(" ", "-")


@pytest.mark.parametrize("name", PAGES)
def test_both_languages_have_the_same_headings_and_blocks(name: str) -> None:
    english, chinese = (page(language, name) for language in LANGUAGES)

    assert heading_levels(english) == heading_levels(chinese)
    assert [block[:2] for block in blocks(english)] == [block[:2] for block in blocks(chinese)]
    assert rows_of_tables(english) == rows_of_tables(chinese)
    assert items_of_lists(english) == items_of_lists(chinese)


def rows_of_tables(text: str) -> int:
    return len(re.findall(r"^\|", text, re.MULTILINE))


def items_of_lists(text: str) -> int:
    return len(re.findall(r"^(?:-|\d+\.) ", text, re.MULTILINE))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", PAGES)
def test_links_lead_somewhere(language: str, name: str) -> None:
    text = page(language, name)
    here = {anchor_of(title) for title in _TITLE.findall(text)}

    for target, anchor in links(text):
        assert not target or (DOCS / language / target).exists(), target
        if anchor and not target:
            assert anchor in here
