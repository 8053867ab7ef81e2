"""Texts of strangers in every page: shown as texts, and apart from what stands beside them."""

import csv
import io
import zipfile
from collections.abc import Iterator

import pytest

from app.access.roles import Role
from app.console.messages import LANGUAGES
from app.csv_rows import FORMULA_STARTS
from tests.console.crawl import crawl, route_of
from tests.console.hostile import KINDS, Shown, fill, further_pages, hostile_name
from tests.console.operator import signed_in
from tests.console.pages import PAGES
from tests.console.test_roles import ROUTES
from tests.service import Service


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


async def test_no_file_has_a_formula(service: Service) -> None:
    """Of the console and of the API: a route that sends CSV is found by itself."""
    paths = await fill(service)
    async with signed_in(service, Role.OWNER, name=hostile_name("visitor")) as operator:
        answers = await crawl(operator, paths.values(), parts=False)
    files = {
        path: answer.text
        for path, answer in answers.items()
        if answer.headers["Content-Type"].startswith("text/csv")
    }
    archives = {
        path: written
        for path, answer in answers.items()
        if answer.headers["Content-Type"] == "application/zip"
        for written in csv_files_of(answer.content)
    }
    campaign = paths["campaigns/edit.html"].split("/")[2]
    for path, names in csv_routes(service):
        asked = path.replace("{campaign_id}", campaign).removeprefix("/api/")
        params = {"format": "csv"} if "format" in names else None
        answer = await service.api("GET", asked, params=params)
        assert answer.headers["Content-Type"].startswith("text/csv"), answer.text
        files[path] = answer.text

    wanted = {route.path for route in ROUTES if route.path.endswith(".csv")}
    assert {route_of(path) for path in files} - {None} == wanted
    assert archives
    cells = [
        cell
        for file in [*files.values(), *archives.values()]
        for row in csv.reader(io.StringIO(file))
        for cell in row
    ]
    for what in ("operator", "scene", "template", "qrcode"):
        assert any(f"id={what}" in cell for cell in cells), what
    assert [cell for cell in cells if cell.startswith(FORMULA_STARTS) and not number(cell)] == []


def csv_routes(service: Service) -> Iterator[tuple[str, set[str]]]:
    """Yield the paths of the API that answer with CSV, and the names of their parameters."""
    for path, methods in service.app.openapi()["paths"].items():
        route = methods.get("get", {"responses": {}})
        if "text/csv" in route["responses"].get("200", {}).get("content", {}):
            yield path, {parameter["name"] for parameter in route.get("parameters", ())}


def csv_files_of(archive: bytes) -> Iterator[str]:
    """Yield the CSV files of a ZIP."""
    with zipfile.ZipFile(io.BytesIO(archive)) as files:
        for name in files.namelist():
            if name.endswith(".csv"):
                yield files.read(name).decode("utf-8-sig")


def number(cell: str) -> bool:
    """Tell whether a cell is a figure, as the net growth of a day below zero."""
    return cell.removeprefix("-").isdigit()
