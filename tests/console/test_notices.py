"""The pages about notices: what a form takes, and what an operator can do with a send."""

import csv
import io
import re
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import asyncpg
import httpx
import pytest

from app.access.roles import Role
from app.notices.send import STOPPED
from tests.console.made_notices import a_form, a_list, a_paused_send, templates
from tests.console.operator import Operator, signed_in
from tests.notices.makers import decided, know_templates
from tests.service import APPID, OPENID, Service, WeChat, column, rows

pytestmark = pytest.mark.asyncio


@pytest.fixture
async def editor(service: Service) -> AsyncIterator[Operator]:
    """An editor with English pages."""
    async with signed_in(service, Role.EDITOR, name="Editor") as operator:
        yield operator


def typed(**changes: str) -> dict[str, str]:
    return {
        "appid": APPID,
        "template": "TPL_parcel",
        "key": "console-1",
        "name": "Moved",
        "value-character_string1": "K-1",
        "value-enum_string2": "待取",
        "rate": "20",
        "action": "count",
    } | changes


async def test_an_audience_is_counted_confirmed_and_started_once(
    service: Service, wechat: WeChat, editor: Operator, connection: asyncpg.Connection
) -> None:
    await a_form(service)
    await decided(service, wechat)
    counted = await editor.post("/notices/new", typed(seen_days="7"))
    assert "go to 1 people" in counted.text
    sending = typed(seen_days="7", action="send", people="1", confirmation="2")
    unconfirmed = await editor.post("/notices/new", sending)
    assert unconfirmed.status_code == 422
    assert "not the number of people" in unconfirmed.text
    answers = [await editor.post("/notices/new", sending | {"confirmation": "1"}) for _ in range(2)]
    assert {answer.status_code for answer in answers} == {303}
    assert len({answer.headers["location"] for answer in answers}) == 1
    (send,) = await rows(connection, "SELECT name, max_total, audience FROM notice_sends")
    assert (send["name"], send["max_total"]) == ("Moved", 1)
    assert "seen_since" in send["audience"]

    page = urlsplit(answers[0].headers["location"]).path.removeprefix("/console")
    for verb, state in (("pause", "paused"), ("resume", "running"), ("stop", "stopped")):
        changed = await editor.post(f"{page}/{verb}", {})
        assert changed.status_code == 303
        assert await column(connection, "SELECT state FROM notice_sends") == [state]
    assert (await editor.post(f"{page}/pause", {})).status_code == 303  # somebody was faster
    assert (await editor.get(page)).status_code == 200


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"name": ""}, "1 to 100 characters"),
        ({"value-character_string1": "取件"}, "no Chinese characters"),
        ({"value-character_string1": ""}, "no Chinese characters"),
        ({"mini_program": "shop"}, "AppID of a mini-program"),
        ({"mini_program": "wx0123456789abcdef", "pagepath": "/x"}, "without a slash"),
        ({"seen_days": "0"}, "1 to 3,650"),
        ({"rate": "201"}, "1 to 200"),
        ({"scene": "x" * 129}, "At most 128"),
        ({"unionids": "x" * 129}, "up to 5,000 UnionIDs"),
        ({"unionids": "oU\n" * 5001}, "up to 5,000 UnionIDs"),
    ],
)
async def test_what_is_wrong_is_said_beside_its_field(
    service: Service, editor: Operator, wrong: dict[str, str], words: str
) -> None:
    await templates(service)
    answer = await editor.post("/notices/new", typed(**wrong))
    assert answer.status_code == 422
    errors = re.findall(r'class="field-error">([^<]*)<', answer.text)
    assert len(errors) == 1
    assert words in errors[0]


async def test_all_that_is_wrong_is_said_at_once(service: Service, editor: Operator) -> None:
    await templates(service)
    answer = await editor.post("/notices/new", typed(rate="0", **{"value-enum_string2": "x"}))
    errors = re.findall(r'class="field-error">([^<]*)<', answer.text)
    assert "1 to 200" in errors[-1]
    answer = await editor.post("/notices/new", typed(rate="0", **{"value-character_string1": "中"}))
    assert len(re.findall(r'class="field-error">([^<]*)<', answer.text)) == 2


async def test_an_audience_is_narrowed_to_listed_people(
    service: Service, wechat: WeChat, editor: Operator, connection: asyncpg.Connection
) -> None:
    await a_form(service)
    await decided(service, wechat)
    await connection.execute("UPDATE openids SET unionid = 'oU1'")
    for listed, people in (("oU2\r\noU1\r\n", 1), ("oU2", 0)):
        counted = await editor.post("/notices/new", typed(unionids=listed))
        assert f"go to {people} people" in counted.text
        assert listed.split()[0] in counted.text


async def test_an_audience_gets_the_codes_of_a_campaign(
    service: Service, wechat: WeChat, editor: Operator, connection: asyncpg.Connection
) -> None:
    await a_form(service)
    await decided(service, wechat)
    (campaign_id,) = await column(connection, "SELECT id FROM campaigns")
    coded = typed(**{"value-character_string1": "{code}"})
    alone = await editor.post("/notices/new", coded)
    assert alone.status_code == 422
    assert "choose its campaign here" in alone.text
    coded |= {"campaign": str(campaign_id)}
    counted = await editor.post("/notices/new", coded)
    assert "They need 1 codes; the campaign has 1 for them." in counted.text
    await connection.execute("UPDATE campaign_codes SET given_at = now()")
    sending = coded | {"action": "send", "people": "1", "confirmation": "1"}
    refused = await editor.post("/notices/new", sending)
    assert refused.status_code == 422
    assert "too few codes" in refused.text
    assert await column(connection, "SELECT id FROM notice_sends") == []
    await connection.execute("DELETE FROM campaign_codes")
    refused = await editor.post("/notices/new", sending)
    assert "or has no codes" in refused.text
    await connection.execute(
        "INSERT INTO campaign_codes (campaign_id, code) VALUES ($1, 'CODE')", campaign_id
    )
    answer = await editor.post("/notices/new", sending)
    assert answer.status_code == 303
    (send,) = await rows(connection, "SELECT id, campaign_id FROM notice_sends")
    assert send["campaign_id"] == campaign_id
    doors = await column(connection, "SELECT door_id FROM campaign_doors WHERE kind = 'notice'")
    assert doors == [str(send["id"])]


async def test_a_viewer_reads_and_changes_nothing(service: Service, viewer: Operator) -> None:
    page = await a_paused_send(service)
    form = await a_form(service)
    found = await viewer.get(page)
    assert found.status_code == 200
    assert "oDEMO00000" not in found.text
    for answer in (await viewer.get(form), await viewer.post(f"{page}/resume", {})):
        assert answer.status_code == 403


async def test_the_files_of_templates_and_reasons_have_what_the_api_counts(
    service: Service, viewer: Operator
) -> None:
    page = await viewer.get(await a_list(service))
    counted = await service.read("stats/notices")
    files = {}
    for by in ("templates", "reasons"):
        assert f'href="/console/notices/export.csv?by={by}"' in page.text
        text = (await viewer.get(f"/notices/export.csv?by={by}")).text.lstrip("\ufeff")
        files[by] = list(csv.DictReader(io.StringIO(text)))

    assert files["templates"] == [
        {name: str(value) for name, value in row.items()} for row in counted["days"]
    ]
    assert len(files["reasons"]) == len(counted["reasons"]) >= 2
    for row, reason in zip(files["reasons"], counted["reasons"], strict=True):
        assert row == {name: "" if reason[name] is None else str(reason[name]) for name in row}
    assert (await viewer.get("/notices/export.csv?by=weeks")).status_code in {404, 422}


async def test_why_a_notice_was_not_sent_is_said_in_the_language_of_the_page(
    service: Service, connection: asyncpg.Connection
) -> None:
    page = await a_paused_send(service)
    await connection.execute("UPDATE notices SET errmsg = $1 WHERE status = 'skipped'", STOPPED)
    async with signed_in(service, Role.VIEWER, language="zh") as viewer:
        for path in (page, "/notices"):
            text = (await viewer.get(path)).text
            assert "发送已停止。" in text
            assert STOPPED not in text


async def test_templates_are_read_from_wechat_or_the_refusal_is_shown(
    service: Service, wechat: WeChat, editor: Operator
) -> None:
    know_templates(service, wechat)
    answer: httpx.Response = await editor.post("/notices/refresh", {"appid": APPID})
    assert answer.status_code == 303
    wechat.strike("/wxaapi/newtmpl/gettemplate", errcode=-1)
    answer = await editor.post("/notices/refresh", {"appid": APPID})
    assert answer.status_code == 502
    assert "WeChat is busy" in answer.text
    assert (await editor.post("/notices/refresh", {"appid": "wxother"})).status_code == 404
    assert OPENID not in answer.text
