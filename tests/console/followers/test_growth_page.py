"""Growth in the console: the figures, their days, and the same figures as a file."""

import csv
import io
import re
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest

from app.access.roles import Role
from app.console.date_range_form import BadRange, RangeQuery, before
from tests.console.operator import Operator, signed_in
from tests.console.people import HOSTILE, lives, push
from tests.service import OPENID, Service

TODAY = date(2026, 11, 28)
ZONE = "Asia/Shanghai"


def figures_of(page: str) -> list[str]:
    """Return the key figures: new, unfollowed, net, followers."""
    return re.findall(r'<span class="figure">([^<]*)</span>', page)


async def test_the_figures_are_those_of_the_api(service: Service, viewer: Operator) -> None:
    await lives(service)
    page = (await viewer.get("/followers/growth")).text
    total = (await service.read("stats/followers"))["total"]

    assert figures_of(page) == ["2", "1", "1", "1"]
    assert [total[name] for name in ("new", "lost", "net")] == [2, 1, 1]
    assert "<b onclick" not in page


async def test_the_span_before_is_compared(service: Service) -> None:
    await push(service, "subscribe", OPENID)
    service.clock.advance(timedelta(days=7))
    for number in range(3):
        await push(service, "subscribe", f"oPERSON{number:021d}")
    async with signed_in(service, Role.VIEWER) as viewer:
        page = (await viewer.get("/followers/growth", days="7")).text

    assert figures_of(page) == ["3", "0", "3", "4"]
    assert "+200%" in page
    assert "+300%" in page


@pytest.mark.parametrize(
    ("by", "expected"),
    [
        ("qr_scene", {"'" + HOSTILE: ("1", "0", "1", "1"), "": ("1", "1", "0", "0")}),
        ("scene", {"ADD_SCENE_QR_CODE": ("1", "0", "1", "1"), "": ("1", "1", "0", "0")}),
    ],
)
async def test_a_file_has_the_figures_of_each_scene_and_no_formula(
    service: Service, viewer: Operator, by: str, expected: dict[str, tuple[str, ...]]
) -> None:
    await lives(service)
    rows = await file_of(viewer, by=by)

    assert {row[0]: tuple(row[1:]) for row in rows[1:]} == expected


async def test_the_page_links_to_a_file_of_the_same_days(
    service: Service, viewer: Operator
) -> None:
    await lives(service)
    page = (await viewer.get("/followers/growth", days="14")).text
    link = next(one for one in re.findall(r'href="([^"]+)" download', page) if "by=day" in one)
    answer = await viewer.http.get(link.replace("&amp;", "&"))
    rows = list(csv.reader(io.StringIO(answer.text.removeprefix("\ufeff"), newline="")))
    today = service.clock.now().astimezone(ZoneInfo(ZONE)).date()

    assert rows[0] == ["day", "new", "unfollowed", "net", "followers"]
    assert len(rows) == 15
    assert rows[-1] == [today.isoformat(), "2", "1", "1", "1"]


@pytest.mark.parametrize(
    "query",
    [
        {"since": "2026-01-02", "until": "2026-01-01"},
        {"until": "2999-01-01"},
        {"until": "9999-12-31"},
        {"until": "0001-01-01"},
        {"since": "0001-01-01", "until": "0001-01-01"},
        {"since": "1970-01-01"},
        {"since": "2020-01-01", "until": "2021-06-01"},
    ],
)
async def test_days_that_cannot_be_shown_are_explained(
    viewer: Operator, query: dict[str, str]
) -> None:
    page = await viewer.get("/followers/growth", **query)
    file = await viewer.get("/followers/growth/export.csv", **query)

    assert page.status_code == 422
    assert "Choose " in page.text
    assert file.status_code == 404


async def file_of(viewer: Operator, **query: str) -> list[list[str]]:
    answer = await viewer.get("/followers/growth/export.csv", **query)
    assert answer.status_code == 200
    return list(csv.reader(io.StringIO(answer.text.removeprefix("\ufeff"), newline="")))


def test_the_longest_range_is_366_days() -> None:
    longest = RangeQuery(since=TODAY - timedelta(days=365), until=TODAY)
    too_long = RangeQuery(since=TODAY - timedelta(days=366), until=TODAY)

    assert len(longest.date_range(TODAY, ZONE).days) == 366
    with pytest.raises(BadRange):
        too_long.date_range(TODAY, ZONE)


@pytest.mark.parametrize("days", [None, "7", "14", "30"])
def test_the_days_before_are_as_many_and_none_is_counted_twice(days: str | None) -> None:
    shown = RangeQuery.model_validate({"days": days}).date_range(TODAY, ZONE)
    earlier = before(shown)

    assert len(shown.days) == len(earlier.days) == int(days or 7)
    assert shown.days[-1] == TODAY
    assert earlier.days[-1] + timedelta(days=1) == shown.days[0]
