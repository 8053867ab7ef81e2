"""The pages about campaigns: what a form does, and what it says when something is wrong."""

from pathlib import Path

import asyncpg
import httpx
import pytest

from app.worker import Jobs
from tests.console import made_campaigns
from tests.console.operator import FROM_A_PAGE, Operator
from tests.service import CARD_APPID, Service, card, column, settings_for

FORM = {
    "name": "Summer",
    "starts_at": "2026-07-01T00:00",
    "ends_at": "2026-08-01T00:00",
    "doors": "",
    "cost": "5000",
    "warn_below": "10",
}


async def uploaded(owner: Operator, path: str, content: bytes) -> httpx.Response:
    return await owner.http.post(
        f"/console{path}", files={"file": ("codes.csv", content, "text/csv")}, headers=FROM_A_PAGE
    )


async def test_a_campaign_is_added_changed_and_deleted_by_forms(
    owner: Operator, service: Service, connection: asyncpg.Connection
) -> None:
    rule_id = await service.add_rule(card())
    answer = await owner.post("/campaigns/add", FORM | {"doors": f" rule  {rule_id} \n"})
    assert answer.status_code == 303, answer.text
    ((campaign_id, starts_at),) = await connection.fetch("SELECT id, starts_at FROM campaigns")
    assert starts_at.isoformat() == "2026-06-30T16:00:00+00:00"
    path = f"/campaigns/{campaign_id}"
    assert 'value="2026-07-01T00:00"' in (await owner.get(f"{path}/edit")).text

    changed = FORM | {"doors": "", "revision": "1", "name": "Autumn"}
    assert (await owner.post(f"{path}/edit", changed)).status_code == 303
    page = (await owner.get(path)).text
    for empty in ("Nobody has come by such a code", "no door yet", "No code was"):
        assert empty in page
    assert page.count('class="empty"') == 4
    assert "<figure" not in page
    stale = await owner.post(f"{path}/edit", changed | {"name": "Mine"})
    assert stale.status_code == 409
    assert "Autumn" in stale.text
    assert await column(connection, "SELECT name FROM campaigns") == ["Autumn"]
    assert (await owner.post(f"{path}/delete", {})).status_code == 303
    for further in ("", "/edit"):
        assert (await owner.get(f"{path}{further}")).status_code == 404
    assert (await owner.post(f"{path}/edit", changed)).status_code == 404


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"name": " "}, "name"),
        ({"starts_at": "today"}, "starts_at"),
        ({"ends_at": "2026-06-01T00:00"}, "ends_at"),
        ({"doors": "rule"}, "doors"),
        ({"doors": "gate 7"}, "doors"),
        ({"doors": "rule 77"}, "doors"),
        ({"target_pagepath": "pages"}, "target_appid"),
        ({"cost": "much"}, "cost"),
        ({"warn_below": "-1"}, "warn_below"),
    ],
)
async def test_what_is_wrong_stands_beside_the_field(
    owner: Operator, connection: asyncpg.Connection, wrong: dict[str, str], field: str
) -> None:
    answer = await owner.post("/campaigns/add", FORM | wrong)

    assert answer.status_code == 422
    assert f'id="{field}-error"' in answer.text
    assert await column(connection, "SELECT count(*) FROM campaigns") == [0]


async def test_a_mini_program_that_is_not_configured_is_told_beside_its_field(
    owner: Operator,
    service: Service,
    connection: asyncpg.Connection,
    database_url: str,
    tmp_path: Path,
) -> None:
    await owner.post("/campaigns/add", FORM)
    (campaign_id,) = await column(connection, "SELECT id FROM campaigns")
    # Otherwise any is taken for one.
    service.app.state.settings = settings_for(
        database_url, tmp_path, mini_program_appids="wx00000000000000aa"
    )
    wanted = FORM | {"target_appid": CARD_APPID, "revision": "1"}

    for path in ("/campaigns/add", f"/campaigns/{campaign_id}/edit"):
        answer = await owner.post(path, wanted)
        assert answer.status_code == 422
        assert 'id="target_appid-error"' in answer.text
        assert "This mini-program is not configured" in answer.text
    assert await column(connection, "SELECT target_appid FROM campaigns") == [None]


async def test_codes_are_added_from_a_file_and_drawn(
    owner: Operator, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    await owner.post("/campaigns/add", FORM)
    (campaign_id,) = await column(connection, "SELECT id FROM campaigns")
    path = f"/campaigns/{campaign_id}"

    none = await owner.post(f"{path}/codes", {})
    bad = await uploaded(owner, f"{path}/codes", b"AAAA\nb b\n")
    assert (none.status_code, bad.status_code) == (422, 422)
    assert "line 2: a code has" in bad.text
    assert await column(connection, "SELECT count(*) FROM code_imports") == [0]
    assert (await uploaded(owner, f"{path}/codes", b"AAAA\nBBBB\n")).status_code == 303
    for wrong in ({"count": "0"}, {"count": "x"}, {"prefix": "a b"}):
        answer = await owner.post(f"{path}/drawn", {"count": "3", "key": "k"} | wrong)
        assert answer.status_code == 422
    for _ in range(2):
        answer = await owner.post(f"{path}/drawn", {"count": "3", "prefix": "S-", "key": "k"})
        assert answer.status_code == 303, answer.text
    for import_id in await column(connection, "SELECT id FROM code_imports"):
        await jobs.add_codes({"import_id": str(import_id)})

    assert await column(connection, "SELECT count(*) FROM campaign_codes") == [5]


async def test_when_all_codes_are_added_the_page_is_loaded_again(
    owner: Operator, service: Service, connection: asyncpg.Connection, jobs: Jobs
) -> None:
    path = (await made_campaigns.a_campaign(service)).partition("?")[0]
    running = await owner.get_part(f"{path}/progress")
    for import_id in await column(connection, "SELECT id FROM code_imports"):
        await jobs.add_codes({"import_id": str(import_id)})
    over = await owner.get_part(f"{path}/progress")

    assert "every 2s" in running.text
    assert (over.status_code, over.headers["HX-Refresh"], over.text) == (200, "true", "")


async def test_who_downloads_the_invitations_is_recorded(
    owner: Operator, viewer: Operator, service: Service, connection: asyncpg.Connection
) -> None:
    path = (await made_campaigns.a_campaign(service)).partition("?")[0]

    refused = await viewer.get(f"{path}/invitations.csv")
    file = await owner.get(f"{path}/invitations.csv")

    assert refused.status_code == 403
    assert "oDEMO0aInviter" in file.text
    entries = "SELECT actor_name || ' ' || subject_id FROM audit_log WHERE action = $1"
    found = [row[0] for row in await connection.fetch(entries, "invitations.shown")]
    assert found == [f"{owner.name} {path.rpartition('/')[2]}"]


async def test_a_viewer_may_look_and_no_more(viewer: Operator, service: Service) -> None:
    path = (await made_campaigns.a_campaign(service)).partition("?")[0]
    page = await viewer.get(path)
    assert page.status_code == 200
    assert "CODE-" not in page.text
    for action in ("codes", "drawn", "delete", "edit"):
        assert (await viewer.post(f"{path}/{action}", FORM)).status_code == 403
