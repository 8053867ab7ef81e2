"""Every chart has the same figures as a table and as a file."""

import csv
import io
import re
from html.parser import HTMLParser

import pytest

from app.console.template_environment import FOLDER
from tests.console.operator import signed_in
from tests.console.pages import PAGES, Page, prepare
from tests.service import Service

CHARTED = [
    page
    for page in PAGES
    if page.prepare is not None and "ui.chart(" in (FOLDER / page.template).read_text("utf-8")
]
DAY = re.compile(r"\d{4}-\d\d-\d\d")


class Charts(HTMLParser):
    """The charts of a page. files: where each is exported. tables: the rows of each, as texts."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.files: list[str] = []
        self.tables: list[list[list[str]]] = []
        self._inside = False
        self._cell = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Enter a chart, a row or a cell."""
        values = dict(attrs)
        if tag == "figure":
            self._inside = True
            self.tables.append([])
        elif self._inside and tag == "tr":
            self.tables[-1].append([])
        elif self._inside and tag in {"th", "td"}:
            self._cell = True
            self.tables[-1][-1].append("")
        elif self._inside and tag == "a" and "download" in values:
            self.files.append(values["href"] or "")

    def handle_endtag(self, tag: str) -> None:
        """Leave them."""
        if tag == "figure":
            self._inside = False
        elif tag in {"th", "td"}:
            self._cell = False

    def handle_data(self, data: str) -> None:
        """Read a cell."""
        if self._inside and self._cell:
            self.tables[-1][-1][-1] += data.strip()


@pytest.mark.parametrize("page", CHARTED, ids=lambda page: page.path)
async def test_a_chart_has_its_figures_as_a_table_and_as_a_file(
    service: Service, page: Page
) -> None:
    async with signed_in(service, page.role) as operator:
        charts = Charts((await operator.get(await prepare(page, service))).text)
        files = [await operator.get(path.removeprefix("/console")) for path in charts.files]

    assert charts.tables
    assert len(files) == len(charts.tables)
    for (_, *rows), file in zip(charts.tables, files, strict=True):
        assert file.headers["Content-Type"].startswith("text/csv"), file.text
        by_label: dict[str, list[str]] = {}
        for label, *figures in csv.reader(io.StringIO(file.text)):
            by_label.setdefault(label, []).extend(figures)
        # A step or a source has a name of its own in a file, for programs.
        of_days = {label: figures for label, *figures in rows if DAY.fullmatch(label)}
        missing = {
            day: figure
            for day, figures in of_days.items()
            for figure in figures
            if figure not in {"–", "0"} and figure.replace(",", "") not in by_label[day]
        }
        assert not missing
