"""QR codes in the console: what the forms take, and what a code's page leads to."""

import io
import re
import zipfile
from html import unescape

import asyncpg
import pytest

from app.worker import Jobs
from tests.console import made_funnel
from tests.console.operator import Operator
from tests.funnel.world import code_id
from tests.qrcodes.makers import made
from tests.service import APPID, Service, WeChat, card, column

ONE = {"name": "Store 42", "appid": APPID, "kind": "temporary", "scene": "store_0042"}
MANY = {
    "key": "01234567-89ab-cdef-0123-456789abcdef",
    "names": "Store 1\nStore 2,store_2\n",
    "list_appid": APPID,
    "list_kind": "temporary",
    "scene_prefix": "store_",
}


async def test_a_code_is_added_and_deleted(owner: Operator, connection: asyncpg.Connection) -> None:
    answer = await owner.post("/qrcodes/add", ONE)
    assert answer.status_code == 303
    (code_id,) = await column(connection, "SELECT id FROM qrcodes")
    page = (await owner.get(f"/qrcodes/{code_id}")).text
    assert "store_0042" in page
    assert "Nobody has scanned it" in page
    assert "<figure" not in page
    again = await owner.post("/qrcodes/add", ONE)
    assert again.status_code == 422
    assert "choose another one" in again.text
    for wrong in ({"name": " "}, {"scene": "a b"}, {"appid": "wx00000000000000ff"}, {"kind": "x"}):
        answer = await owner.post("/qrcodes/add", ONE | wrong)
        assert answer.status_code == 422, wrong
    await owner.post(f"/qrcodes/{code_id}/renew", {})
    await owner.post(f"/qrcodes/{code_id}/delete", {})
    assert (await owner.get(f"/qrcodes/{code_id}")).status_code == 404


async def test_a_list_is_added_once_and_downloaded(
    owner: Operator, jobs: Jobs, wechat: WeChat, connection: asyncpg.Connection
) -> None:
    for _ in range(2):
        answer = await owner.post("/qrcodes/lists/add", MANY)
        assert answer.status_code == 303
    (list_id,) = await column(connection, "SELECT id FROM qrcode_lists")
    for qrcode_id in await column(connection, "SELECT id FROM qrcodes"):
        await jobs.renew_qrcode({"qrcode_id": str(qrcode_id)})
    assert len(wechat.state.qrcodes.made) == 2
    sizes = set()
    for look in ("format=svg&names=true", "format=png&names=true", "format=png"):
        assert (
            f"pictures?{look}".replace("&", "&amp;")
            in (await owner.get(f"/qrcodes?list_id={list_id}")).text
        )
        answer = await owner.get(f"/qrcodes/lists/{list_id}/pictures?{look}")
        with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
            assert len(archive.namelist()) == 3
            sizes.add(archive.infolist()[1].file_size)
    assert len(sizes) == 3

    for wrong in ({"names": ""}, {"names": "a,b c"}, {"scene_prefix": "qrscene_"}):
        answer = await owner.post("/qrcodes/lists/add", MANY | wrong)
        assert answer.status_code == 422, wrong
    other = {"key": "11234567-89ab-cdef-0123-456789abcdef", "names": "a,store_2"}
    assert (await owner.post("/qrcodes/lists/add", MANY | other)).status_code == 422
    assert await column(connection, "SELECT count(*) FROM qrcodes") == [2]


async def test_a_list_with_an_emoji_is_offered_with_names_as_svg_alone(
    owner: Operator, connection: asyncpg.Connection
) -> None:
    await owner.post("/qrcodes/lists/add", MANY | {"names": "Store 1\nNoodles 🍜\n"})
    (list_id,) = await column(connection, "SELECT id FROM qrcode_lists")
    page = (await owner.get(f"/qrcodes?list_id={list_id}")).text
    assert "that only an SVG can show" in page
    assert "format=png&amp;names=true" not in page
    answer = await owner.get(f"/qrcodes/lists/{list_id}/pictures?format=png&names=true")
    assert answer.status_code == 404


@pytest.mark.usefixtures("wechat")
async def test_a_code_shows_the_rules_that_answer_it_and_begins_one(
    owner: Operator, service: Service, jobs: Jobs
) -> None:
    code = await made(service, jobs)
    answer = await owner.get(f"/qrcodes/{code['id']}")
    assert answer.text.count("No rule answers.") == 2
    trigger = {"on": "scan", "scene_prefix": "store_"}
    rule_id = await service.add_rule(card(), name="All stores", trigger=trigger)

    answer = await owner.get(f"/qrcodes/{code['id']}")
    assert answer.text.count(f'/console/rules/{rule_id}"') == 2
    editor = await owner.get(f"/rules/new?on=scan&scene=store_0042&account={APPID}")
    assert 'value="store_0042"' in editor.text


async def test_a_code_shows_who_came_to_the_mini_program(owner: Operator, service: Service) -> None:
    await made_funnel.funnel(service)
    page = (await owner.get(f"/qrcodes/{code_id('a')}")).text
    shown = re.findall(r"quiet\">(.* in 30 days)</span>\s*<span class=\"figure\">(\d+)<", page)
    assert shown == [("Arrivals in 30 days", "1"), ("Conversions in 30 days", "1")]
    assert f"/funnel?by=qrcode&door={code_id('a')}" in unescape(page)
