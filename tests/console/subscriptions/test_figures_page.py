"""Figures of subscription notifications: by day and template, as a page and as a file."""

import csv
import io
import re
from datetime import timedelta

import pytest

from app.access.roles import Role
from tests.console.operator import Operator, signed_in
from tests.console.people import HOSTILE, TEMPLATE, deliver, subscribe
from tests.service import OPENID, OTHER_OPENID, Service


def figures_of(page: str) -> list[str]:
    """Return the key figures: accepted, rejected, delivered, failed."""
    return re.findall(r'<span class="figure">([^<]*)</span>', page)


async def answers(service: Service) -> None:
    """Two answers to one template, one to a hostile one; one delivery and one failure."""
    await subscribe(service)
    await subscribe(service, OTHER_OPENID, "reject")
    await subscribe(service, OPENID, template=HOSTILE)
    await deliver(service, "0")
    await deliver(service, "43101", OTHER_OPENID)


async def file_of(viewer: Operator, **query: str) -> list[list[str]]:
    answer = await viewer.get("/subscriptions/export.csv", **query)
    assert answer.status_code == 200
    return list(csv.reader(io.StringIO(answer.text.removeprefix("\ufeff"), newline="")))


async def test_the_figures_are_those_of_the_api(service: Service, viewer: Operator) -> None:
    await answers(service)
    page = (await viewer.get("/subscriptions")).text
    days = (await service.read("stats/subscriptions"))["days"]

    assert figures_of(page) == ["2", "1", "1", "1"]
    for name, expected in {"accepted": 2, "rejected": 1, "delivered": 1, "failed": 1}.items():
        assert sum(day[name] for day in days) == expected
    assert "<b onclick" not in page


async def test_one_template_is_shown_alone(service: Service, viewer: Operator) -> None:
    await answers(service)
    page = (await viewer.get("/subscriptions", template=TEMPLATE)).text
    found = await service.read("stats/subscriptions", template_id=TEMPLATE)

    assert figures_of(page) == ["1", "1", "1", "1"]
    assert [one["template_id"] for one in found["templates"]] == [TEMPLATE]


async def test_the_span_before_is_compared(service: Service) -> None:
    await subscribe(service)
    service.clock.advance(timedelta(days=7))
    for openid in (OPENID, OTHER_OPENID):
        await subscribe(service, openid)
    async with signed_in(service, Role.VIEWER) as viewer:
        page = (await viewer.get("/subscriptions", days="7")).text

    assert figures_of(page)[0] == "2"
    assert "+100%" in page


async def test_a_file_has_every_template_and_no_formula(service: Service, viewer: Operator) -> None:
    await answers(service)
    rows = await file_of(viewer, by="template")

    assert rows[0] == [
        "template",
        "accepted",
        "rejected",
        "banned",
        "withdrawn",
        "restored",
        "delivered",
        "failed",
    ]
    assert {row[0]: row[1:] for row in rows[1:]} == {
        TEMPLATE: ["1", "1", "0", "0", "0", "1", "1"],
        "'" + HOSTILE: ["1", "0", "0", "0", "0", "0", "0"],
    }


async def test_a_file_by_day_has_the_days_of_the_page(service: Service, viewer: Operator) -> None:
    await answers(service)
    page = (await viewer.get("/subscriptions", days="14", template=TEMPLATE)).text
    link = next(one for one in re.findall(r'href="([^"]+)" download', page) if "by=day" in one)
    answer = await viewer.http.get(link.replace("&amp;", "&"))
    rows = list(csv.reader(io.StringIO(answer.text.removeprefix("\ufeff"), newline="")))

    assert len(rows) == 15
    assert rows[-1][1:] == ["1", "1", "0", "0", "0", "1", "1"]


@pytest.mark.parametrize(
    "query", [{"since": "2026-01-02", "until": "2026-01-01"}, {"until": "2999-01-01"}]
)
async def test_days_that_cannot_be_shown_are_explained(
    viewer: Operator, query: dict[str, str]
) -> None:
    page = await viewer.get("/subscriptions", **query)

    assert page.status_code == 422
    assert "Choose " in page.text
    assert (await viewer.get("/subscriptions/export.csv", **query)).status_code == 404


async def test_a_filter_that_nothing_fits_says_so(service: Service, viewer: Operator) -> None:
    await answers(service)
    page = (await viewer.get("/subscriptions", template="unknown")).text

    assert "fits these filters" in page
    assert "has not reported any yet" not in page
