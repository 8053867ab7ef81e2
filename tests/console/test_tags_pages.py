"""Tags in the console: what the forms take, and what the pages of a tag and of a run lead to."""

import asyncpg

from app.access.roles import Role
from app.worker import Jobs
from tests.console import made_tags
from tests.console.operator import Operator, signed_in
from tests.service import APPID, Service, WeChat, column
from tests.tags.makers import having, people, reach_wechat, run, tag

MATCHING = {
    "action": "tag",
    "who": "filter",
    "scene": "store_42",
    "seen_days": "7",
    "key": "01234567-89ab-cdef-0123-456789abcdef",
}
NAMED = MATCHING | {"who": "openids", "key": "11234567-89ab-cdef-0123-456789abcdef"}


async def test_a_tag_is_created_renamed_and_deleted(
    owner: Operator, service: Service, wechat: WeChat
) -> None:
    reach_wechat(service, wechat)
    names = wechat.state.tags.account(APPID).names
    assert (await owner.post("/tags/add", {"name": "会员"})).status_code == 303
    (tag_id,) = [number for number, name in names.items() if name == "会员"]
    again = await owner.post("/tags/add", {"name": "会员"})
    assert again.status_code == 422
    assert "45157" in again.text
    assert (await owner.post("/tags/add", {"name": "x" * 31})).status_code == 422
    path = f"/tags/{APPID}/{tag_id}"
    assert (await owner.post(f"{path}/rename", {"name": "老会员"})).status_code == 303
    assert names[tag_id] == "老会员"
    assert "老会员" in (await owner.get(path)).text
    assert (await owner.post(f"{path}/rename", {"name": " "})).status_code == 422
    assert (await owner.post(f"{path}/delete", {})).status_code == 303
    assert tag_id not in names
    assert (await owner.get(path)).status_code == 404


async def test_followers_are_counted_tagged_once_and_seen_on_their_page(
    owner: Operator,
    service: Service,
    wechat: WeChat,
    jobs: Jobs,
    connection: asyncpg.Connection,
) -> None:
    tag_id = await tag(service, wechat, "会员")
    openids = await people(service, wechat, connection, 2, prefix="oPERSON", scene="store_42")
    path = f"/tags/{APPID}/{tag_id}/people"
    counted = await owner.post(path, MATCHING | {"step": "count"})
    assert counted.status_code == 200
    assert "2 followers match now." in counted.text
    assert MATCHING["key"] in counted.text
    started = [await owner.post(path, MATCHING) for _ in range(2)]
    assert len({one.headers["Location"] for one in started}) == 1
    await run(jobs)
    assert having(wechat, tag_id) == openids
    page = await owner.get(started[0].headers["Location"].removeprefix("/console"))
    assert "finished" in page.text

    found = await owner.post("/followers/find", {"person": openids[0]})
    person = await owner.get(found.headers["Location"].removeprefix("/console"))
    assert f'href="/console/tags/{APPID}/{tag_id}"' in person.text
    editor = await owner.get("/menus")
    assert f'<option value="{tag_id}">会员 ({tag_id})</option>' in editor.text


async def test_what_can_not_be_used_is_shown_again_with_a_sentence(
    owner: Operator, service: Service, wechat: WeChat, connection: asyncpg.Connection
) -> None:
    tag_id = await tag(service, wechat)
    path = f"/tags/{APPID}/{tag_id}/people"
    for wrong, sentence in (
        (NAMED | {"ids": " \n"}, "Write 1 to 5,000 ids"),
        (NAMED | {"ids": "oNOBODY"}, "None of these ids is known"),
        (MATCHING | {"seen_days": "0"}, "Write a number from 1 to 3,650"),
        (MATCHING | {"seen_days": "٣"}, "Write a number from 1 to 3,650"),
        (MATCHING | {"scene": "x" * 129}, "At most 128 characters."),
        (MATCHING | {"who": "x"}, "Choose one of the kinds"),
        (MATCHING | {"action": "pull"}, "Choose one of the actions."),
    ):
        answer = await owner.post(path, wrong)
        assert answer.status_code == 422, wrong
        assert sentence in answer.text
    assert await column(connection, "SELECT count(*) FROM tag_runs") == [0]
    assert (await owner.post(f"/tags/{APPID}/7/people", MATCHING)).status_code == 404


async def test_a_run_is_stopped_and_a_pull_is_started(
    owner: Operator, service: Service, wechat: WeChat, connection: asyncpg.Connection
) -> None:
    tag_id = await tag(service, wechat)
    await people(service, wechat, connection, 1)
    answer = await owner.post(f"/tags/{APPID}/{tag_id}/people", NAMED | {"ids": "oP0000\noX"})
    path = answer.headers["Location"].removeprefix("/console")
    assert "1 of the ids are not known" in (await owner.get(path)).text
    run_path = path.partition("?")[0]
    progress = await owner.get_part(f"{run_path}/progress")
    assert "hx-get" in progress.text
    for _ in range(2):
        assert (await owner.post(f"{run_path}/stop", {})).status_code == 303
    progress = await owner.get_part(f"{run_path}/progress")
    assert progress.headers["HX-Refresh"] == "true"
    assert (await owner.post("/tags/pull", {"appid": APPID})).status_code == 303
    states = await column(connection, "SELECT state FROM tag_runs ORDER BY id")
    assert states == ["stopped", "running"]


async def test_a_run_says_which_followers_it_is_for(owner: Operator, service: Service) -> None:
    path = await made_tags.a_run(service)
    english = (await owner.get(path)).text
    async with signed_in(service, Role.VIEWER, name="viewer", language="zh") as viewer:
        chinese = (await viewer.get(path)).text

    for name in ("seen_since", "tag_id", "ADD_SCENE_QR_CODE"):
        assert name not in english
    for text in ("Came by", "QR code", "Seen since", "Tag that they have", "星标组"):
        assert text in english
    for text in ("扫描二维码", "此后出现过", "已有标签", "星标组"):
        assert text in chinese


async def test_a_run_says_for_which_other_one_it_waits(owner: Operator, service: Service) -> None:
    first = (await made_tags.a_run(service)).partition("?")[0]
    second = await made_tags.a_run(service)

    assert f'href="/console{first}"' in (await owner.get(second)).text
    assert "earlier run of the account" not in (await owner.get(first)).text
    await owner.post(f"{first}/stop", {})
    assert "earlier run of the account" not in (await owner.get(second)).text
