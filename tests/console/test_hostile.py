"""Texts of strangers in every page: shown as texts, and apart from what stands beside them."""

import csv
import io

import pytest

from app.access.roles import Role
from app.console.messages import LANGUAGES
from app.csv_rows import FORMULA_STARTS
from tests.console.hostile import KINDS, Shown, fill, further_pages, hostile_name
from tests.console.operator import signed_in
from tests.console.pages import PAGES
from tests.service import Service

EXPORTS = (
    "/audit/export.csv",
    *(f"/followers/growth/export.csv?by={by}" for by in ("day", "scene", "qr_scene")),
    *(f"/subscriptions/export.csv?by={by}" for by in ("day", "template")),
)


@pytest.mark.parametrize("language", LANGUAGES)
async def test_no_page_takes_a_text_for_anything_else(service: Service, language: str) -> None:
    paths = await fill(service)
    assert paths.keys() == {page.template for page in PAGES}
    async with signed_in(
        service, Role.OWNER, name=hostile_name("visitor"), language=language
    ) as op:
        pages = {path: (await op.get(path)).text for path in paths.values()}
        shown = {path: Shown(page) for path, page in pages.items()}
        further = [Shown(page) for page in await further_pages(op, paths)]

    faults = [fault for page in [*shown.values(), *further] for fault in page.faults]
    assert not faults, "\n".join(faults)
    assert KINDS - set().union(*(page.texts for page in [*shown.values(), *further])) == set()


async def test_no_export_has_a_formula(service: Service) -> None:
    await fill(service)
    async with signed_in(service, Role.VIEWER, name=hostile_name("visitor")) as operator:
        files = [await operator.get(path) for path in EXPORTS]

    cells = []
    for file in files:
        assert file.headers["Content-Type"].startswith("text/csv"), file.text
        cells += [cell for row in csv.reader(io.StringIO(file.text)) for cell in row]
    for what in ("operator", "scene", "template"):
        assert any(f"id={what}" in cell for cell in cells), what
    assert [cell for cell in cells if cell.startswith(FORMULA_STARTS) and not number(cell)] == []


def number(cell: str) -> bool:
    """Tell whether a cell is a figure, as the net growth of a day below zero."""
    return cell.removeprefix("-").isdigit()
