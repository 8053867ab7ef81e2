"""`/api/menus`: drafts, their check, the difference to WeChat, versions and their restoration."""

import asyncio

import asyncpg
import pytest

from app.menus import store
from app.worker import Jobs
from tests.menus.makers import click, for_tag, menu, shop
from tests.menus.publishing import CREATE, GET, drafted, ordered, published, run_job, version
from tests.service import APPID, Json, Service, WeChat, column

pytestmark = pytest.mark.asyncio

MENU = f"menus/{APPID}"


async def test_a_draft_is_stored_read_and_checked(
    service: Service, connection: asyncpg.Connection
) -> None:
    empty = await service.read(MENU)
    assert empty["revision"] == 0
    assert [each["errcode"] for each in empty["problems"]] == [40016]

    document = menu(click(name="积分商城好啊"), conditional=[for_tag("108")])
    draft = await drafted(service, document)
    assert draft["revision"] == 1
    assert draft["menu"] == document
    (problem,) = draft["problems"]
    assert problem["loc"] == ["button", 0, "name"]
    assert problem["errcode"] == 40018
    assert problem["blocks"] is True
    assert problem["meaning"]
    assert await service.read(MENU) == draft
    assert await column(connection, "SELECT action FROM audit_log") == ["menu.changed"]


async def test_a_draft_that_somebody_else_changed_is_not_overwritten(service: Service) -> None:
    await drafted(service)
    bodies = [{"menu": menu(click(key=str(n))), "revision": 1} for n in range(2)]
    answers = await asyncio.gather(*(service.api("PUT", MENU, json=body) for body in bodies))

    assert sorted(answer.status_code for answer in answers) == [200, 409]
    answer = await service.api("POST", f"{MENU}/publish", json={"revision": 1})
    assert answer.status_code == 409
    assert "revision 2" in answer.json()["detail"]


async def test_a_draft_that_wechat_would_refuse_is_not_published(
    service: Service, wechat: WeChat
) -> None:
    draft = await drafted(service, menu({"name": "a", "sub_button": [shop(pagepath="/a")]}))
    answer = await service.api("POST", f"{MENU}/publish", json={"revision": draft["revision"]})

    assert answer.status_code == 422
    (problem,) = answer.json()["detail"]
    assert problem["loc"] == ["menu", "button", 0, "sub_button", 0, "pagepath"]
    assert problem["type"] == "errcode_40165"
    assert "app.json" in problem["msg"]
    assert wechat.calls(CREATE) == []


@pytest.mark.parametrize(
    ("body", "member"),
    [
        (menu(click() | {"colour": "red"}), "colour"),
        (menu(click() | {"type": "tap"}), "type"),
        (menu({"name": "a", "sub_button": [{"name": "b", "sub_button": [click()]}]}), "sub_button"),
        (menu(*[click(key=str(n)) for n in range(11)]), "button"),
        (menu(click(key="k" * 2049)), "key"),
        (menu(click(key="a\x00")), "key"),
        (menu(conditional=[{"matchrule": {"tag_id": "x"}}]), "tag_id"),
        (menu(conditional=[{"matchrule": {"sex": "1"}}]), "matchrule"),
        (menu(conditional=[for_tag(str(n)) for n in range(51)]), "conditional"),
    ],
)
async def test_a_document_of_another_shape_is_refused_with_its_place(
    service: Service, body: Json, member: str
) -> None:
    answer = await service.api("POST", f"{MENU}/check", json=body)

    assert answer.status_code == 422
    (problem,) = answer.json()["detail"]
    assert member in problem["loc"]
    assert problem["msg"]


async def test_an_account_without_menus_is_not_known(service: Service) -> None:
    for appid in ("wx00000000000000ff", "%00", "%1B%5B31m"):
        unknown = await service.api("GET", f"menus/{appid}")
        assert unknown.status_code == 404
        assert unknown.json()["detail"] == (
            "the path names no Official Account of the settings: correct the AppID, or add the "
            "account to the settings"
        )
    assert (await service.api("GET", f"{MENU}/versions/7")).status_code == 404
    assert (await service.api("POST", f"{MENU}/versions/7/restore")).status_code == 404
    assert (await service.api("POST", f"{MENU}/versions/7/stop")).status_code == 404
    answer = await service.api("POST", f"{MENU}/undo")
    assert answer.status_code == 409
    assert "no menu was there" in answer.json()["detail"]


async def test_the_difference_names_each_button_and_ends_with_the_publication(
    service: Service, jobs: Jobs
) -> None:
    document = menu(click(), conditional=[for_tag("108")])
    await drafted(service, document)
    before = await service.read(f"{MENU}/difference")
    assert before["from_console"] is True
    assert [each["position"] for each in before["left_out"]] == ["2-1"]
    assert ("1", "changed") in [(each["position"], each["kind"]) for each in before["changes"]]

    await published(service, jobs, menu(click(), shop(), conditional=[for_tag("108")]))
    after = await service.read(f"{MENU}/difference")
    assert after["changes"] == []
    assert after["from_console"] is False

    await drafted(service, document)
    (change,) = (await service.read(f"{MENU}/difference"))["changes"]
    assert (change["position"], change["kind"]) == ("2", "removed")


async def test_a_call_that_wechat_refuses_is_told(service: Service, wechat: WeChat) -> None:
    wechat.strike(GET, errcode=48001, count=1)
    answer = await service.api("GET", f"{MENU}/difference")

    assert answer.status_code == 502
    assert "48001" in answer.json()["detail"]
    assert "rid" in answer.json()["detail"]


async def test_a_version_is_restored_into_the_draft(service: Service, jobs: Jobs) -> None:
    first = await published(service, jobs, menu(click("一", "one")))
    await published(service, jobs, menu(click("二", "two")))
    answer = await service.api("POST", f"{MENU}/versions/{first['number']}/restore")

    assert answer.status_code == 200
    assert answer.json()["menu"]["button"] == [click("一", "one")]
    assert answer.json()["live_version"] == 3
    page = await service.read(f"{MENU}/versions", limit=2)
    assert [each["number"] for each in page["items"]] == [3, 2]
    page = await service.read(f"{MENU}/versions", before=page["next"])
    assert [each["number"] for each in page["items"]] == [1]
    assert page["next"] is None


async def test_of_many_versions_the_newest_and_the_found_ones_are_kept(
    service: Service, jobs: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "MAX_VERSIONS", 2)
    for number in range(3):
        await published(service, jobs, menu(click(str(number), str(number))))
    started = await ordered(service, menu(click("n", "n")))

    kept = (await service.read(f"{MENU}/versions"))["items"]
    assert [(each["number"], each["state"]) for each in kept] == [
        (5, "publishing"),
        (4, "published"),
        (2, "found"),
    ]
    await run_job(service, jobs, started["number"])
    assert (await version(service, 5))["previous"] == 4
