"""The page with WeChat's figures beside ours."""

import re

import pytest

from app.access.roles import Role
from tests.console.made_figures import two_days
from tests.console.operator import signed_in
from tests.service import Service


def cells(page: str, figure: str) -> list[str]:
    """The cells of a figure's row, without markup."""
    row = re.search(rf'<tr><th scope="row">{figure}</th>(.*?)</tr>', page, re.DOTALL)
    assert row is not None
    return [re.sub("<[^>]+>", "", cell).strip() for cell in re.findall(r"<td.*?</td>", row[1])]


async def test_what_is_lost_is_seen_with_the_days_that_wait(service: Service) -> None:
    path = await two_days(service)
    async with signed_in(service, Role.VIEWER, language="en") as visitor:
        page = (await visitor.get(path)).text

    assert cells(page, "Messages")[:2] == ["2,700", "2,500"]
    assert cells(page, "New follows")[:2] == ["14", "14"]
    assert "WeChat counts more or less than arrived." in page
    assert "datacube/getupstreammsg: days up to" in page
    assert "The figures of the day are not ready." in page


async def test_the_file_has_every_day_of_every_figure(service: Service) -> None:
    path = await two_days(service)
    async with signed_in(service, Role.VIEWER, language="en") as visitor:
        page = (await visitor.get(path)).text
        link = re.search(r'href="/console(/figures/export\.csv[^"]*)"', page)
        assert link is not None
        lines = (await visitor.get(link[1].replace("&amp;", "&"))).text.splitlines()

    assert lines[0].removeprefix("\ufeff") == "day,figure,wechat,ours"
    assert [line.split(",")[2:] for line in lines if ",messages," in line][-3:] == [
        ["1200", "1200"],
        ["1500", "1300"],
        ["", ""],
    ]


@pytest.mark.parametrize("query", ["?since=2099-01-01", "?since=2026-02-02&until=2026-02-01"])
async def test_days_that_can_t_be_shown_are_told(service: Service, query: str) -> None:
    async with signed_in(service, Role.VIEWER, language="en") as visitor:
        assert (await visitor.get(f"/figures{query}")).status_code == 422
        assert (await visitor.get(f"/figures/export.csv{query}")).status_code == 404
