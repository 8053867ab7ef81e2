"""The funnel and the retention of followers in the console."""

import csv
import io
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, time, timedelta
from html import unescape
from zoneinfo import ZoneInfo

import pytest

from app.console.funnel.retention_page import shade
from app.db.queue import raw_connection
from app.funnel.count import count
from app.funnel.steps import basis_of
from app.worker import Jobs
from tests.console.made_funnel import FIRST, SECOND, funnel
from tests.console.operator import Operator
from tests.funnel.world import Campaign, World, campaign_id, code_id, send_id
from tests.service import APPID, Service


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


async def test_a_door_without_its_kind_is_not_said_to_be_shown(
    service: Service, viewer: Operator
) -> None:
    await funnel(service)

    assert "Show all" in (await viewer.get("/funnel", door="5", by="rule")).text
    assert "Show all" not in (await viewer.get("/funnel", door="5")).text


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


async def listed(viewer: Operator, path: str) -> int:
    """Return how many rows a list has."""
    found = await viewer.get(path)
    assert found.status_code == 200
    return len(re.findall('data-label="(?:When|OpenID)"', found.text))


def bars(page: str) -> list[int]:
    """Return how often each step was reached."""
    shown = re.findall(r'<td class="number" data-label="Times">([\d,]+)</td>', page)
    return [int(times.replace(",", "")) for times in shown]


@asynccontextmanager
async def history(service: Service, begin: datetime) -> AsyncIterator[World]:
    """Let things happen, and count them at the end. begin: when the first push arrives."""
    sessions = service.app.state.database.sessions
    async with sessions.begin() as session:
        yield World(await raw_connection(session), begin=begin + timedelta(minutes=1))
    await count(sessions, basis_of(service.app.state.settings))


def midnight(service: Service) -> datetime:
    """Return when the day before today began, in the zone of the pages."""
    zone = ZoneInfo(service.app.state.settings.console_time_zone)
    today = service.clock.now().astimezone(zone).date()
    return datetime.combine(today - timedelta(days=1), time(), zone)


@pytest.mark.parametrize(
    ("language", "sentence"), [("en", "counts 1 more"), ("zh", "漏斗中另有 1 次未列出")]
)
async def test_a_list_says_how_many_erased_people_it_leaves_out(
    service: Service, viewer: Operator, jobs: Jobs, language: str, sentence: str
) -> None:
    await funnel(service)
    answer = await service.api("DELETE", f"users?appid={APPID}&openid={FIRST}")
    await jobs.erase({"erasure_id": answer.json()["id"]})
    page = (await viewer.get("/funnel", by="qrcode")).text
    paths = step_paths(page)
    await viewer.post("/language", {"language": language, "next": "/console/"})

    assert bars(page) == [1] * 6
    for path in paths:
        assert await listed(viewer, path) == 0
        assert sentence in (await viewer.get(path)).text
    assert sentence not in (await viewer.get(paths[0], kind="text")).text
    assert sentence not in (await viewer.get("/messages")).text
    assert sentence not in (await viewer.get("/arrivals")).text


async def test_a_push_that_arrives_after_midnight_is_listed_for_the_day_on_which_it_counts(
    service: Service, viewer: Operator
) -> None:
    later = midnight(service)
    async with history(service, later) as world:
        await world.push(FIRST, later - timedelta(seconds=1), rule_id=5, passive=True, late=True)
    day = (later - timedelta(days=1)).date().isoformat()
    page = (await viewer.get("/funnel", since=day, until=day)).text
    counts = [await listed(viewer, path) for path in step_paths(page)]

    assert counts == bars(page) == [1, 1, 1, 0, 0]
    page = (await viewer.get("/funnel", since=later.date().isoformat())).text
    assert [await listed(viewer, path) for path in step_paths(page)] == [0] * 5


async def test_a_reply_that_was_opened_is_listed_as_sent(
    service: Service, viewer: Operator
) -> None:
    begin = midnight(service)
    async with history(service, begin) as world:
        for openid in (FIRST, SECOND):
            await world.push(openid, begin + timedelta(hours=1), rule_id=5, late=True)
        await world.report(world.touches[0], "launch", 60)
    page = (await viewer.get("/funnel")).text
    counts = [await listed(viewer, path) for path in step_paths(page)]

    assert counts == bars(page) == [2, 2, 1, 1, 0]


async def test_a_conversion_by_a_button_is_listed_for_the_day_of_its_launch(
    service: Service, viewer: Operator
) -> None:
    begin = midnight(service)
    async with history(service, begin) as world:
        for person, days in (("u1", 2), ("u2", 0)):
            await world.visit("launch", person, begin - timedelta(days=days), (2, "1"))
        await world.visit("conversion", "u1", begin + timedelta(hours=1), (2, "1"))
        await world.visit("conversion", "u3", begin + timedelta(hours=1), (2, "1"))
    for launched, expected in ((begin - timedelta(days=2), 1), (begin, 0)):
        day = launched.date().isoformat()
        page = (await viewer.get("/funnel", by="button", since=day, until=day)).text
        counts = [await listed(viewer, path) for path in step_paths(page)]

        assert counts == bars(page) == [0, 0, 0, 1, expected]


async def test_a_campaign_leads_to_the_notices_that_it_counts_as_sent(
    service: Service, viewer: Operator
) -> None:
    begin = midnight(service)
    async with history(service, begin) as world:
        doors = (f"notice:{send_id(1)}",)
        await world.campaign(1, Campaign(begin, begin + timedelta(days=1), doors))
        await world.notice(FIRST, begin + timedelta(hours=1), 1)
    page = (await viewer.get("/funnel", by="campaign", door=str(campaign_id(1)))).text
    (path,) = re.findall(r'href="/console(/funnel\?by=notice[^"]*)"', page)
    notices = (await viewer.get(unescape(path))).text

    assert bars(page) == [0, 0, 0, 1, 0, 0]
    assert bars(notices) == [1, 0, 0]
    assert f"/notices/sends/{send_id(1)}" in notices
