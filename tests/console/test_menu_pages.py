"""The editor of custom menus: each change is stored in the draft, and nothing is overwritten."""

import re

import pytest

from app.access.roles import Role
from app.worker import Jobs
from tests.console import made_menus
from tests.console.operator import Operator, signed_in
from tests.menus.makers import click, for_tag, menu, shop
from tests.menus.publishing import know_wechat, menus_of, ordered, published, run_job
from tests.service import APPID, CARD_APPID, OPENID, Json, Service, WeChat

pytestmark = pytest.mark.asyncio


async def posted(operator: Operator, path: str, form: Json) -> str:
    """Post a form, and return the page to which the answer leads."""
    answer = await operator.post(path, form)
    assert answer.status_code == 303, answer.text
    return (await operator.get(answer.headers["location"].removeprefix("/console"))).text


async def draft(service: Service) -> Json:
    """Return the stored draft."""
    found = await service.read(f"menus/{APPID}")
    stored: Json = found["menu"] | {"revision": found["revision"]}
    return stored


async def test_a_menu_is_built_button_by_button(service: Service) -> None:
    async with signed_in(service, Role.EDITOR, language="en") as operator:

        async def change(path: str, revision: int, **form: object) -> str:
            values = {"appid": APPID, "menu": 0, "revision": revision, **form}
            return await posted(operator, f"/menus/{path}", values)

        await change("add", 0, name="积分")
        await change("add", 1, name="商城")
        await change("button", 2, button="1", name="积分", type="click", key="points", url="x")
        await change("add", 3, button="2", name="进店")
        page = await change(
            "button",
            4,
            button="2-1",
            name="进店",
            type="miniprogram",
            url="https://m.example.com/shop",
            mini_program=CARD_APPID,
            pagepath="pages/shop/index?ref={ref}",
        )
        assert "The draft is saved." in page
        assert (await draft(service))["button"] == [
            click(),
            {"name": "商城", "sub_button": [shop()]},
        ]

        await change("move", 5, button="2", to="up")
        await change("move", 6, button="1", to="up")
        await change("conditional/add", 7, tag_id="108", client_platform_type="2")
        await change("remove", 8, menu=1, button="1")
        stored = await draft(service)
        assert [one["name"] for one in stored["button"]] == ["商城", "积分"]
        assert stored["conditional"] == [for_tag("108", click(), client_platform_type="2")]

        page = await change("remove", 8, button="1")
        assert "Somebody else has changed the draft" in page
        page = await change("remove", 9, button="3")
        assert "Somebody else has changed the draft" in page
        page = await change("conditional/add", 9, tag_id="members")
        assert "digits alone" in page
        assert await draft(service) == stored


async def test_conditional_menus_are_ordered_and_removed(service: Service) -> None:
    await made_menus.saved(service, menu(conditional=[for_tag("1"), for_tag("2")]))
    async with signed_in(service, Role.EDITOR, language="en") as operator:
        form = {"appid": APPID, "menu": 2, "revision": 1, "to": "up"}
        await operator.post("/menus/conditional/move", form)
        stored = await draft(service)
        assert [one["matchrule"]["tag_id"] for one in stored["conditional"]] == ["2", "1"]
        form = {"appid": APPID, "menu": 1, "revision": 2}
        await operator.post("/menus/conditional/remove", form)
        stored = await draft(service)
        assert [one["matchrule"]["tag_id"] for one in stored["conditional"]] == ["1"]


async def test_the_editor_shows_counters_problems_and_the_rule_of_a_key(service: Service) -> None:
    path = await made_menus.an_editor(service)
    async with signed_in(service, Role.EDITOR, language="en") as operator:
        page = (await operator.get(path)).text

    assert "6 of 16 bytes" in page
    assert re.search(r"This rule answers a tap:\s*<a[^>]*><bdi[^>]*>&lt;i&gt;积分", page)
    assert "A name has 1 to 16 bytes, which are 5 Chinese characters." in page
    assert "(40018)" in page
    assert "营业时间" in page
    assert "r-1" in page


async def test_a_draft_is_published_stopped_and_undone_from_the_console(service: Service) -> None:
    service.app.state.wechat_menus = made_menus.MenusOfTheConsole()
    await made_menus.saved(service, menu(click()))
    async with signed_in(service, Role.EDITOR, language="en") as operator:
        page = (await operator.get(f"/menus/difference?appid={APPID}")).text
        assert "made in WeChat&#39;s console" in page or "made in WeChat's console" in page
        page = await posted(operator, f"/menus/publish?appid={APPID}", {"revision": 1})
        assert "The worker publishes the menu." in page
        page = await posted(operator, f"/menus/publish?appid={APPID}", {"revision": 1})
        assert "A version is being published" in page
        page = await posted(operator, f"/menus/versions/1/stop?appid={APPID}", {})
        assert "The worker stops the publication" in page
        page = await posted(operator, f"/menus/undo?appid={APPID}", {})
        assert "no earlier menu" in page
        page = await posted(operator, f"/menus/versions/1/restore?appid={APPID}", {})
        assert "The version is the draft now." in page
        assert (await operator.get("/menus?appid=wx00000000000000ff")).status_code == 404


async def test_a_publication_is_followed_to_its_end(
    service: Service, jobs: Jobs, wechat: WeChat
) -> None:
    know_wechat(service, wechat)
    asks_again = f'hx-get="/console/menus/versions?appid={APPID}"'
    await ordered(service)
    async with signed_in(service, Role.EDITOR, language="en") as operator:
        page = (await operator.get(f"/menus?appid={APPID}")).text
        assert asks_again in page

        part = (await operator.get_part("/menus/versions", appid=APPID)).text
        assert "is being published" in part
        assert asks_again in part
        assert "Add a conditional menu" not in part  # what is typed in the forms stays
        assert "/menus/undo" not in part

        await run_job(service, jobs, 1)
        part = (await operator.get_part("/menus/versions", appid=APPID)).text
    assert "is being published" not in part
    assert "hx-get" not in part
    assert "/menus/undo" in part


async def test_a_stop_that_comes_too_late_is_said(service: Service) -> None:
    await made_menus.a_deletion(service)
    async with signed_in(service, Role.EDITOR, language="en") as operator:
        page = await posted(operator, f"/menus/versions/1/stop?appid={APPID}", {})
    assert "wait until it is published, and undo it then" in page


async def test_the_menu_of_a_follower_is_asked_of_wechat(
    service: Service, jobs: Jobs, wechat: WeChat
) -> None:
    know_wechat(service, wechat)
    inside = click("<b>会员</b>", "vip")
    await published(service, jobs, menu(conditional=[for_tag("108", inside)]))
    tags = wechat.state.followers[APPID][OPENID].tags
    async with signed_in(service, Role.VIEWER, language="en") as operator:

        async def asked(openid: str, status: int = 200) -> str:
            form = {"openid": openid}
            answer = await operator.post(f"/menus/match?appid={APPID}", form)
            assert answer.status_code == status, answer.text
            return answer.text

        page = await asked(OPENID)
        assert "The default menu of version 1" in page
        assert "商城" in page
        tags.append(108)
        page = await asked(f" {OPENID} ")
        assert "Conditional menu 1 of version 1" in page
        assert "&lt;b&gt;会员" in page
        menus_of(wechat).conditional.clear()
        menus_of(wechat).button = [click("别的", "other")]
        assert "A menu that is not of the live version" in await asked(OPENID)
        assert "Nobody who follows the account" in await asked("oNOBODY", 422)
        assert "Type the OpenID" in await asked(" ", 422)
        wechat.strike("/cgi-bin/menu/trymatch", errcode=48001)
        page = await asked(OPENID)
        assert "WeChat could not be asked" in page
        assert "48001" in page
