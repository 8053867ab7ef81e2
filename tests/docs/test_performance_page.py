"""The performance page repeats figures of benchmarks/README.md, and only those."""

import re

import pytest

from tests.docs.pages import LANGUAGES, ROOT, page, rows, section

FIGURE = re.compile(r"\d+(?:,\d{3})*(?:\.\d+)?")
HEADINGS = {"en": "## Callbacks", "zh": "## 回调"}


def benchmarks() -> str:
    return (ROOT / "benchmarks/README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_rates_are_those_of_the_benchmarks(language: str) -> None:
    # Further tables have other machines and other Pythons.
    first, *_ = re.findall(r"(?:^\|.*\n)+", section(benchmarks(), "## Callbacks"), re.MULTILINE)
    measured = {
        cells[0]: (cells[4], *cells[7].split(", ")) for cells in rows(first) if cells[1] == "200"
    }
    stated = {
        cells[0]: (cells[1], *(cell.removesuffix(" ms") for cell in cells[2:]))
        for cells in rows(page(language, "performance.md"), beside=HEADINGS[language])
        if cells[0].isdigit()
    }

    assert stated == measured


@pytest.mark.parametrize("language", LANGUAGES)
def test_both_languages_and_the_benchmarks_have_the_same_figures(language: str) -> None:
    known = {*FIGURE.findall(benchmarks())}
    # The service's own limits, not measurements.
    known |= {"4", "5", "99", "503", "10,101", "1000000"}

    assert set(FIGURE.findall(page(language, "performance.md"))) <= known
    assert sorted(FIGURE.findall(page("zh", "performance.md"))) == sorted(
        FIGURE.findall(page("en", "performance.md"))
    )
