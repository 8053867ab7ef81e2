"""One person in the console: what is shown, what showing leaves behind, and the erasure."""

import re

import asyncpg
import pytest

from app.access.roles import Role
from app.console.followers import person_page
from app.worker import Jobs
from tests.console.operator import Operator, signed_in
from tests.console.people import TEMPLATE, a_person, an_erasure
from tests.service import APPID, OPENID, Service, jobs, rows, wechat, wechat_names

__all__ = ["jobs", "wechat"]

# An unfollow opens an erasure, too.
REQUESTED = "SELECT id, requested_by FROM erasures WHERE trigger = 'request'"
UNIONID = "oUNIONID-of-a-person-000000"


async def test_a_person_is_shown_whole_but_for_the_ids(service: Service, viewer: Operator) -> None:
    path = await a_person(service)
    page = (await viewer.get(path)).text

    assert ("Scan of a QR code" in page, "SCAN" in page) == (True, False)
    for text in ("followed", "scanned a QR code", "answered a subscription popup", TEMPLATE):
        assert text in page
    assert OPENID not in page
    assert "<b onclick" not in page
    assert f'action="/console{path}/erase"' not in page


async def test_showing_an_id_is_written_down_without_it(
    service: Service, viewer: Operator, owner: Operator
) -> None:
    path = await a_person(service)
    await wechat_names(service, OPENID, UNIONID)
    shown = [await viewer.post(f"{path}/{name}") for name in ("openid", "unionid")]
    log = (await owner.get("/audit", action="follower.shown")).text

    for answer, value in zip(shown, (OPENID, UNIONID), strict=True):
        assert f">{value}</bdi>" in answer.text
    assert log.count("looked at an OpenID") >= 2
    assert OPENID not in log
    assert UNIONID not in log


async def test_a_remark_is_shown_on_demand_and_that_is_written_down(
    service: Service, viewer: Operator, owner: Operator, connection: asyncpg.Connection
) -> None:
    path = await a_person(service)
    missing = await viewer.post(f"{path}/remark")
    await connection.execute(
        "INSERT INTO follower_remarks (appid, openid, remark) VALUES ($1, $2, '<b>老王')",
        APPID,
        OPENID,
    )
    page = (await viewer.get(path)).text
    shown = (await viewer.post(f"{path}/remark")).text
    log = (await owner.get("/audit", action="follower.shown")).text

    assert missing.status_code == 404
    assert ("老王" in page, "&lt;b&gt;老王</bdi>" in shown) == (False, True)
    assert ("looked at an OpenID" in log, "老王" in log) == (True, False)


async def test_a_unionid_that_is_not_known_is_not_there(service: Service, viewer: Operator) -> None:
    path = await a_person(service)

    assert (await viewer.post(f"{path}/unionid")).status_code == 404


async def test_the_timeline_goes_on_on_another_page(
    service: Service, viewer: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(person_page, "TIMELINE_ROWS", 2)
    path = "/console" + await a_person(service)
    seen = []
    while path:
        page = (await viewer.http.get(path)).text.split('id="timeline"')[1]
        seen += re.findall(r'<th scope="row">([a-z][^<]*)</th>', page)
        older = re.search(r'rel="next" href="([^"]+)"', page)
        path = older[1] if older else ""

    assert seen == ["scanned a QR code", "answered a subscription popup", "followed"]


async def test_a_cursor_that_cannot_be_read_is_the_first_page(
    service: Service, viewer: Operator
) -> None:
    assert "scanned" in (await viewer.get(await a_person(service), before="x")).text


@pytest.mark.parametrize("confirmation", ["", "yes", OPENID[-4:].swapcase() + "x"])
async def test_nobody_is_erased_without_the_confirmation(
    service: Service, owner: Operator, connection: asyncpg.Connection, confirmation: str
) -> None:
    path = await a_person(service)
    answer = await owner.post(f"{path}/erase", {"confirmation": confirmation})

    assert answer.status_code == 422
    assert "Nothing was erased" in answer.text
    assert await rows(connection, REQUESTED) == []


async def test_an_owner_erases_a_person_and_sees_the_certificate(
    service: Service, owner: Operator, connection: asyncpg.Connection, jobs: Jobs
) -> None:
    path = await an_erasure(service)
    before = (await owner.get(path)).text
    (erasure,) = await rows(connection, REQUESTED)
    await jobs.erase({"erasure_id": str(erasure["id"])})
    after = (await owner.get_part(path)).text

    assert erasure["requested_by"] == "Eraser"
    assert "in progress" in before
    assert 'hx-trigger="every 2s"' in before
    assert "finished" in after
    assert "hx-trigger" not in after
    assert OPENID not in after


async def test_an_editor_may_not_erase(service: Service, connection: asyncpg.Connection) -> None:
    path = await a_person(service)
    async with signed_in(service, Role.EDITOR, name="Editor") as editor:
        answer = await editor.post(f"{path}/erase", {"confirmation": OPENID[-4:]})

    assert answer.status_code == 403
    assert await rows(connection, REQUESTED) == []
