"""The funnel and the retention of followers in the console."""

import csv
import io
import re
from html import unescape

import pytest

from app.console.funnel.retention_page import shade
from tests.console.made_funnel import funnel
from tests.console.operator import Operator
from tests.funnel.world import campaign_id, code_id
from tests.service import Service


async def test_the_steps_are_those_of_the_api_and_lead_to_their_lists(
    service: Service, viewer: Operator
) -> None:
    await funnel(service)
    page = (await viewer.get("/funnel")).text
    found = await service.read("stats/funnel")

    shown = re.findall(r'<td class="number" data-label="Times">([\d,]+)</td>', page)
    assert shown == [str(step["times"]) for step in found["steps"]] == ["3", "3", "1", "1", "1"]
    assert "1 opens" not in page


def step_paths(page: str) -> list[str]:
    """Return where the steps of the table lead."""
    found = re.findall(r'<th scope="row"><a href="/console(/(?:messages|arrivals)[^"]*)"', page)
    return [unescape(path) for path in found]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, [3, 3, 1, 1, 1]),
        ({"by": "rule", "door": "6"}, [2, 0, 0, 0]),
        ({"by": "rule", "door": "5"}, [1, 1, 1, 1]),
        ({"by": "qrcode", "door": str(code_id("a"))}, [1, 1, 1, 1, 1, 1]),
        ({"by": "qrcode"}, [1, 1, 1, 1, 1, 1]),
        ({"by": "button"}, []),
        ({"by": "campaign"}, [3, 3, 3, 1, 1, 1]),
        ({"by": "campaign", "door": str(campaign_id(1))}, [3, 3, 3, 1, 1, 1]),
        ({"campaign": str(campaign_id(1))}, [3, 3, 1, 1, 1]),
        ({"campaign": str(campaign_id(1)), "by": "qrcode"}, [1, 1, 1, 1, 1, 1]),
        ({"campaign": str(campaign_id(1)), "by": "rule", "door": "6"}, [2, 0, 0, 0]),
        ({"campaign": str(campaign_id(2)), "by": "qrcode"}, []),
    ],
)
async def test_each_step_leads_to_what_it_counts(
    service: Service, viewer: Operator, query: dict[str, str], expected: list[int]
) -> None:
    await funnel(service)
    page = (await viewer.get("/funnel", **query)).text

    counts = []
    for path in step_paths(page):
        found = await viewer.get(path)
        assert found.status_code == 200
        counts.append(len(re.findall('data-label="(?:When|OpenID)"', found.text)))
    assert counts == expected


async def test_a_door_leads_to_its_own_funnel(service: Service, viewer: Operator) -> None:
    await funnel(service)
    page = (await viewer.get("/funnel", by="qrcode")).text
    (door,) = re.findall(r'href="/console(/funnel\?[^"]*door=[^"]*)"', page)
    one = (await viewer.get(door.replace("&amp;", "&"))).text

    assert "<h1" in one
    assert re.findall(r'data-label="Times">([\d,]+)</td>', one)[:2] == ["1", "1"]


async def test_cohorts_are_a_heat_map(service: Service, viewer: Operator) -> None:
    await funnel(service)
    page = (await viewer.get("/funnel/retention", by="qr_scene")).text

    assert 'class="number heat-5"' in page
    assert "<b onclick" not in page


async def test_files_have_the_same_figures(service: Service, viewer: Operator) -> None:
    await funnel(service)
    doors = (await viewer.get("/funnel/export.csv", by="rule", rows="doors")).text
    cohorts = (await viewer.get("/funnel/retention/export.csv")).text

    rows = list(csv.DictReader(io.StringIO(doors.lstrip("\ufeff"))))
    assert [(row["rule"], row["matched_times"]) for row in rows] == [("6", "2"), ("5", "1")]
    rows = list(csv.DictReader(io.StringIO(cohorts.lstrip("\ufeff"))))
    assert sum(int(row["size"]) for row in rows if row["days"] == "1") == 2


@pytest.mark.parametrize(("number", "expected"), [(0, 0), (1, 1), (50, 3), (80, 4), (81, 5)])
def test_a_shade_is_a_fifth_of_a_cohort(number: int, expected: int) -> None:
    assert shade(number, 100) == expected
