"""The page of the doctor: what it shows, in which order, and asking WeChat again."""

import re
from dataclasses import replace

import pytest
from sqlalchemy import text

from app.access.roles import Role
from app.console.findings import shown
from app.doctor.finding import Both, State, fault, look, not_applicable, ok
from tests.console.made_findings import checked
from tests.console.operator import Operator, signed_in
from tests.service import Service

CELL = re.compile(r'<td data-label="State"><span class="badge-(\w+) state">')
WHAT, FIX = Both("It is <b>so</b>.", "是<b>这样</b>。"), Both("Do this.", "请这样做。")


async def jobs_of_the_doctor(service: Service) -> int:
    async with service.app.state.database.sessions() as session:
        found: int = await session.scalar(
            text("SELECT count(*) FROM pgqueuer WHERE entrypoint = 'doctor.check'")
        )
    return found


def test_the_worst_comes_first_in_the_order_of_the_checks() -> None:
    found = [ok("disk", WHAT), not_applicable("spool", WHAT), look("rules", WHAT, FIX)]
    found += [fault("worker", WHAT, FIX), fault("queue", WHAT, FIX)]

    checks = [finding.check for finding in shown(found, "en")]

    assert checks == ["worker", "queue", "rules", "disk", "spool"]


@pytest.mark.parametrize(
    ("language", "title", "what", "fix", "folder"),
    [
        ("en", "Rules", WHAT.en, FIX.en, "docs/en/"),
        ("zh", "规则", WHAT.zh, FIX.zh, "docs/zh/"),
    ],
)
def test_a_finding_is_in_one_language(
    language: str, title: str, what: str, fix: str, folder: str
) -> None:
    (one,) = shown([look("rules", WHAT, FIX)], language)

    assert (one.title, one.what, one.fix) == (title, what, fix)
    assert one.documentation == f"{folder}doctor.md#rules"
    assert one.needs_action
    assert not replace(one, state=State.OK).needs_action


async def test_every_finding_of_the_api_is_a_row(service: Service, owner: Operator) -> None:
    await checked(service)
    found = await service.read("doctor")

    page = (await owner.get("/doctor")).text

    levels = CELL.findall(page)
    assert len(levels) == len(found["findings"])
    order = ["fault", "look", "good", "neutral"]
    assert levels == sorted(levels, key=order.index)
    assert len(set(levels)) > 2
    assert "docs/en/doctor.md#api-refusals" in page
    assert "<script>alert" not in page


async def test_a_worker_that_never_checked_is_said(service: Service, viewer: Operator) -> None:
    before = (await viewer.get("/doctor")).text
    await checked(service)
    after = (await viewer.get("/doctor")).text

    assert "No worker has asked WeChat yet." in before
    assert "No worker has asked WeChat yet." not in after
    assert "WeChat was last asked at:" in after


async def test_an_editor_lets_a_worker_ask_again(service: Service) -> None:
    async with signed_in(service, Role.EDITOR) as editor:
        answers = [await editor.post("/doctor/check") for _ in range(2)]
        page = await editor.get("/doctor?done=asked")

    assert [answer.headers["location"] for answer in answers] == ["/console/doctor?done=asked"] * 2
    assert await jobs_of_the_doctor(service) == 1
    assert "A worker asks WeChat now." in page.text


async def test_nobody_asks_twice_in_half_a_minute(service: Service) -> None:
    await checked(service)
    async with signed_in(service, Role.EDITOR) as editor:
        answer = await editor.post("/doctor/check")
        page = await editor.get("/doctor?done=early")

    assert answer.headers["location"] == "/console/doctor?done=early"
    assert await jobs_of_the_doctor(service) == 0
    assert "less than half a minute ago" in page.text


async def test_a_viewer_may_not_ask(service: Service, viewer: Operator) -> None:
    answer = await viewer.post("/doctor/check")
    page = (await viewer.get("/doctor")).text

    assert answer.status_code == 403
    assert 'action="/console/doctor/check"' not in page
    assert await jobs_of_the_doctor(service) == 0
