"""The worker brings a version to WeChat, whatever happens in the middle."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import asyncpg
import httpx
import pytest

from app import refs
from app.db.engine import open_database
from app.menus import publish as publishing
from app.menus.wechat_menus import WeChatMenus
from app.settings import Settings
from app.wechat.ids import AppId
from app.worker import Jobs
from tests.lock_waits import waiting_backends
from tests.menus.makers import click, for_tag, menu, shop, view
from tests.menus.publishing import (
    ADD,
    CREATE,
    DELETE,
    DELETE_ALL,
    GET,
    SELFMENU,
    menus_of,
    ordered,
    published,
    run_job,
    version,
)
from tests.service import APPID, OPENID, Json, Service, WeChat, WorldClock, column, jobs_of
from tests.waiting import eventually

pytestmark = pytest.mark.asyncio

Call = Callable[..., Awaitable[object]]


class Kills:
    """Kills a run once in each call: before it takes effect, or after."""

    def __init__(self, *, after: bool) -> None:
        self._after = after
        self._changes = 0
        self.places: set[tuple[str, int]] = set()

    def killing(self, name: str) -> Call:
        """Return a method that is killed at first, and again once something else was changed."""
        call: Call = getattr(WeChatMenus, name)

        async def killed(*arguments: object) -> object:
            place = name, self._changes
            if place not in self.places:
                self.places.add(place)
                if self._after:
                    await call(*arguments)
                raise asyncio.CancelledError
            found = await call(*arguments)
            self._changes += name in {"create", "add_conditional", "delete_conditional"}
            return found

        return killed


CONDITIONAL = menu(conditional=[for_tag("108"), for_tag("109"), for_tag("110")])
CALLS = (GET, SELFMENU, CREATE, ADD, DELETE)


def tags(wechat: WeChat) -> list[object]:
    """Return the tags of the conditional menus in the order in which WeChat tries them."""
    return [each.matchrule["tag_id"] for each in reversed(menus_of(wechat).conditional)]


async def test_the_default_menu_and_the_ordered_conditional_ones_are_published(
    service: Service, jobs: Jobs, wechat: WeChat, connection: asyncpg.Connection
) -> None:
    found = await published(service, jobs, CONDITIONAL)

    assert found["state"] == "published"
    assert found["verified"] is True
    assert found["actor_kind"] == "admin_token"
    assert menus_of(wechat).button == found["sent"]["button"]
    assert tags(wechat) == ["108", "109", "110"]
    (page,) = await column(connection, "SELECT mark FROM menu_versions WHERE number = 1")
    assert (
        f"ref={refs.of_button(page, '2-1')}"
        in found["sent"]["button"][1]["sub_button"][0]["pagepath"]
    )
    draft = await service.read(f"menus/{APPID}")
    assert draft["live_version"] == 1
    assert draft["publishing"] is None


async def test_what_the_console_had_is_kept_before_the_first_publication(
    service: Service, jobs: Jobs
) -> None:
    found = await published(service, jobs)
    kept = await version(service, found["previous"])

    assert kept["state"] == "found"
    assert kept["menu"]["button"][0]["name"] == "官网"
    assert kept["left_out"] == [
        {"position": "2-1", "name": "营业时间", "type": "text", "value": "每天 9:00"}
    ]
    answer = await service.api("POST", f"menus/{APPID}/undo")
    assert answer.status_code == 409
    assert "complete it" in answer.json()["detail"]


async def test_a_menu_that_another_program_made_is_kept_and_can_be_restored(
    service: Service, jobs: Jobs, wechat: WeChat
) -> None:
    await published(service, jobs)
    menus_of(wechat).button = [click("别处", "elsewhere")]
    found = await published(service, jobs, menu(click("新", "new")))

    kept = await version(service, found["previous"])
    assert kept["state"] == "found"
    assert kept["left_out"] == []
    assert kept["menu"]["button"] == [click("别处", "elsewhere")]
    answer = await service.api("POST", f"menus/{APPID}/undo")
    assert answer.status_code == 202, answer.text
    await run_job(service, jobs, answer.json()["number"])
    assert menus_of(wechat).button == [click("别处", "elsewhere")]


async def test_an_undo_publishes_the_version_before_and_a_second_one_the_present_one(
    service: Service, jobs: Jobs, wechat: WeChat
) -> None:
    first = await published(service, jobs, menu(click("一", "one")))
    second = await published(service, jobs, menu(click("二", "two")))
    assert second["previous"] == first["number"]

    for name, restored_from in (("一", first["number"]), ("二", second["number"])):
        answer = await service.api("POST", f"menus/{APPID}/undo")
        assert answer.status_code == 202, answer.text
        assert answer.json()["restored_from"] == restored_from
        await run_job(service, jobs, answer.json()["number"])
        assert menus_of(wechat).button == [click(name, {"一": "one", "二": "two"}[name])]


async def test_earlier_conditional_menus_go_when_the_new_ones_are_there(
    service: Service, jobs: Jobs, wechat: WeChat
) -> None:
    await published(service, jobs, CONDITIONAL)
    first = {each.menuid for each in menus_of(wechat).conditional}
    found = await published(service, jobs, menu(conditional=[for_tag("110"), for_tag("108")]))

    assert found["verified"] is True
    assert tags(wechat) == ["110", "108"]
    assert first.isdisjoint(each.menuid for each in menus_of(wechat).conditional)
    adds = [call for call in wechat.state.ledger.read(limit=1000) if call.facts.get("path") == ADD]
    deletes = wechat.calls(DELETE)
    assert len(adds) == 5
    assert len(deletes) == 3


@pytest.mark.parametrize("after", [False, True])
async def test_a_publication_that_is_killed_in_each_of_its_calls_comes_to_its_end(
    service: Service,
    jobs: Jobs,
    wechat: WeChat,
    clock: WorldClock,
    monkeypatch: pytest.MonkeyPatch,
    after: bool,
) -> None:
    await published(service, jobs, menu(conditional=[for_tag("1"), for_tag("2")]))
    started = await ordered(service, CONDITIONAL)
    kills = Kills(after=after)
    for method in ("get", "selfmenu", "create", "add_conditional", "delete_conditional"):
        monkeypatch.setattr(WeChatMenus, method, kills.killing(method))

    for _ in range(100):
        try:
            await run_job(service, jobs, started["number"])
        except asyncio.CancelledError:
            # Another worker leaves the version alone until the lease has ended.
            await run_job(service, jobs, started["number"])
            clock.advance(publishing.LEASE)
        else:
            break

    assert len(kills.places) > 8
    found = await version(service, started["number"])
    assert found["state"] == "published"
    assert found["verified"] is True
    assert tags(wechat) == ["108", "109", "110"]
    assert found["previous"] == 1
    assert len((await service.read(f"menus/{APPID}/versions"))["items"]) == 3


FAULTS = ({"drop": "after"}, {"status": 502}, {"body": "<html>"}, {"errcode": -1})


async def test_each_call_that_fails_is_made_again_and_leaves_no_menu_behind(
    service: Service, jobs: Jobs, wechat: WeChat, clock: WorldClock
) -> None:
    await published(service, jobs, menu(conditional=[for_tag("1")]))
    started = await ordered(service, CONDITIONAL)
    for fault in FAULTS:
        for path in CALLS:
            wechat.strike(path, count=1, **fault)
    for _ in range(100):
        await run_job(service, jobs, started["number"])
        found = await version(service, started["number"])
        if found["state"] != "publishing":
            break
        assert found["problem"] is not None
        clock.advance(timedelta(minutes=10))

    assert wechat.state.faults.active == []
    assert found["state"] == "published"
    assert found["verified"] is True
    assert found["problem"] is None
    assert tags(wechat) == ["108", "109", "110"]


async def test_a_refusal_is_told_with_its_meaning_fix_and_rid(
    service: Service, jobs: Jobs, wechat: WeChat
) -> None:
    wechat.strike(CREATE, errcode=40054, count=1)
    started = await ordered(service)
    await run_job(service, jobs, started["number"])

    answer = await service.read(f"menus/{APPID}/versions/{started['number']}", language="zh")
    assert answer["state"] == "failed"
    assert answer["restored"] is True
    problem = answer["problem"]
    assert problem["errcode"] == 40054
    assert problem["meaning"] == "子菜单按钮 URL 域名不合法。"
    assert problem["fix"]
    assert problem["rid"]
    assert menus_of(wechat).button is None


async def test_when_a_conditional_menu_is_refused_everything_is_as_before(
    service: Service, jobs: Jobs, wechat: WeChat
) -> None:
    first = await published(service, jobs, CONDITIONAL)
    before = [each.menuid for each in menus_of(wechat).conditional]
    wechat.state.menus.most_conditional = 4
    started = await ordered(
        service, menu(click("新", "new"), conditional=[for_tag("1"), for_tag("2")])
    )
    await run_job(service, jobs, started["number"])

    found = await version(service, started["number"])
    assert found["state"] == "failed"
    assert found["problem"]["errcode"] == 65305
    assert found["restored"] is True
    assert [each.menuid for each in menus_of(wechat).conditional] == before
    assert menus_of(wechat).button == first["sent"]["button"]
    assert (await service.read(f"menus/{APPID}"))["live_version"] == first["number"]


async def test_a_withdrawal_goes_on_after_a_kill_and_keeps_its_reason(
    service: Service, jobs: Jobs, wechat: WeChat, clock: WorldClock
) -> None:
    await published(service, jobs, CONDITIONAL)
    before = [each.menuid for each in menus_of(wechat).conditional]
    wechat.state.menus.most_conditional = 4
    wechat.strike(DELETE, drop="after", count=1)
    started = await ordered(service, menu(conditional=[for_tag("1"), for_tag("2")]))
    await run_job(service, jobs, started["number"])
    waiting = await version(service, started["number"])
    assert waiting["state"] == "withdrawing"
    assert waiting["problem"]["errcode"] == 65305

    clock.advance(timedelta(seconds=2))
    await run_job(service, jobs, started["number"])

    found = await version(service, started["number"])
    assert found["state"] == "failed"
    assert found["restored"] is True
    assert found["problem"]["errcode"] == 65305
    assert [each.menuid for each in menus_of(wechat).conditional] == before


async def test_a_withdrawal_says_when_earlier_menus_are_lost(
    service: Service, jobs: Jobs, wechat: WeChat, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = await published(service, jobs, CONDITIONAL)
    delete = WeChatMenus.delete_conditional

    async def delete_one_and_fail(menus: WeChatMenus, appid: AppId, menuid: str) -> None:
        await delete(menus, appid, menuid)
        if len(wechat.calls(DELETE)) == 1:
            wechat.strike(DELETE, errcode=65317, count=1)

    monkeypatch.setattr(WeChatMenus, "delete_conditional", delete_one_and_fail)
    found = await published(service, jobs, menu(conditional=[for_tag("1")]))

    assert found["state"] == "failed"
    assert found["problem"]["errcode"] == 65317
    assert found["restored"] is False
    assert menus_of(wechat).button == first["sent"]["button"]
    assert tags(wechat) == ["108", "109"]


async def test_the_first_menu_is_taken_away_again_when_a_conditional_one_is_refused(
    service: Service, jobs: Jobs, wechat: WeChat
) -> None:
    account = wechat.state.accounts[APPID]
    wechat.state.accounts[APPID] = account.model_copy(update={"conditional_menus": False})
    started = await ordered(service, CONDITIONAL)
    await run_job(service, jobs, started["number"])

    found = await version(service, started["number"])
    assert found["problem"]["errcode"] == 65309
    assert found["restored"] is True
    assert menus_of(wechat).button is None


async def test_a_menu_with_a_mini_program_that_is_not_linked_changes_nothing(
    service: Service, jobs: Jobs, wechat: WeChat
) -> None:
    account = wechat.state.accounts[APPID]
    wechat.state.accounts[APPID] = account.model_copy(update={"linked_mini_programs": ()})
    started = await ordered(service, menu(shop()))
    await run_job(service, jobs, started["number"])

    found = await version(service, started["number"])
    assert found["state"] == "failed"
    assert found["problem"]["errcode"] == 45064


async def test_without_menuids_in_the_answer_all_menus_are_made_again(
    service: Service, jobs: Jobs, wechat: WeChat
) -> None:
    await published(service, jobs, menu(conditional=[for_tag("1"), for_tag("2")]))
    wechat.state.menus.shows_menuid = False
    found = await published(service, jobs, CONDITIONAL)

    assert found["state"] == "published"
    assert found["verified"] is True
    assert tags(wechat) == ["108", "109", "110"]
    assert len(wechat.calls(DELETE_ALL)) == 1


async def test_without_menuids_menus_of_another_program_are_not_deleted_for_ever(
    service: Service, jobs: Jobs, wechat: WeChat, monkeypatch: pytest.MonkeyPatch
) -> None:
    wechat.state.menus.shows_menuid = False
    add = WeChatMenus.add_conditional
    added: list[str] = []

    async def add_and_be_joined(menus: WeChatMenus, appid: AppId, body: Json) -> str:
        assert len(added) < 10
        added.append(await add(menus, appid, body))
        await add(menus, appid, body)
        return added[-1]

    monkeypatch.setattr(WeChatMenus, "add_conditional", add_and_be_joined)
    found = await published(service, jobs, CONDITIONAL)

    assert found["state"] == "published"
    assert found["verified"] is False
    assert len(wechat.calls(DELETE_ALL)) == 1
    assert len(added) == 6


async def test_two_workers_at_once_publish_a_version_once(
    service: Service,
    jobs: Jobs,
    settings: Settings,
    wechat: WeChat,
    database_url: str,
    connection: asyncpg.Connection,
) -> None:
    other_database = open_database(database_url)
    other = jobs_of(settings, other_database, wechat)
    started = await ordered(service, CONDITIONAL)

    async def all_wait() -> bool:
        return len(await waiting_backends(connection)) == 4

    # All of them come to the version before one has it.
    async with connection.transaction():
        await connection.execute("SELECT FROM menu_versions FOR UPDATE")
        runs = [
            asyncio.create_task(run_job(service, one, started["number"]))
            for one in (jobs, other, jobs, other)
        ]
        await eventually(all_wait)
    await asyncio.gather(*runs)

    assert len(wechat.calls(SELFMENU)) == 1
    assert len(wechat.calls(CREATE)) == 1
    assert tags(wechat) == ["108", "109", "110"]
    await other_database.close()


async def test_a_run_whose_lease_has_ended_stores_nothing_when_its_call_returns(
    service: Service,
    jobs: Jobs,
    wechat: WeChat,
    clock: WorldClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    started = await ordered(service, CONDITIONAL)
    create = WeChatMenus.create
    is_calling, may_return = asyncio.Event(), asyncio.Event()

    async def slow(*arguments: object) -> None:
        await create(*arguments)  # type: ignore[arg-type] # as it was called
        if not is_calling.is_set():
            is_calling.set()
            await may_return.wait()

    monkeypatch.setattr(WeChatMenus, "create", slow)
    late = asyncio.create_task(run_job(service, jobs, started["number"]))
    await is_calling.wait()
    clock.advance(publishing.LEASE)
    await run_job(service, jobs, started["number"])
    found = await version(service, started["number"])
    may_return.set()
    await late

    assert found["state"] == "published"
    assert await version(service, started["number"]) == found
    assert tags(wechat) == ["108", "109", "110"]
    assert len(wechat.calls(ADD)) == 3


async def test_a_publication_that_takes_long_keeps_its_lease(
    service: Service,
    jobs: Jobs,
    wechat: WeChat,
    clock: WorldClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    started = await ordered(service, CONDITIONAL)
    add = WeChatMenus.add_conditional

    async def slow(menus: WeChatMenus, appid: AppId, body: Json) -> str:
        clock.advance(publishing.LEASE * 3 / 4)
        # Another worker looks for what to do.
        await run_job(service, jobs, started["number"])
        return await add(menus, appid, body)

    monkeypatch.setattr(WeChatMenus, "add_conditional", slow)
    await run_job(service, jobs, started["number"])

    assert len(wechat.calls(ADD)) == 3
    assert (await version(service, started["number"]))["verified"] is True


async def test_of_two_who_publish_at_once_one_is_told_to_wait(service: Service, jobs: Jobs) -> None:
    answer = await service.api("PUT", f"menus/{APPID}", json={"menu": menu()})
    revision = answer.json()["revision"]
    answers = await asyncio.gather(
        *(
            service.api("POST", f"menus/{APPID}/publish", json={"revision": revision})
            for _ in range(2)
        )
    )

    assert sorted(answer.status_code for answer in answers) == [202, 409]
    (refused,) = [answer for answer in answers if answer.status_code == 409]
    assert "version 1 is being published" in refused.json()["detail"]
    await run_job(service, jobs, 1)
    again = await service.api("POST", f"menus/{APPID}/publish", json={"revision": revision})
    assert again.status_code == 202


async def test_a_stopped_publication_restores_what_was_there(
    service: Service, jobs: Jobs, wechat: WeChat
) -> None:
    first = await published(service, jobs, CONDITIONAL)
    started = await ordered(service, menu(click("新", "new"), conditional=[for_tag("1")]))
    wechat.strike(ADD, errcode=-1)
    await run_job(service, jobs, started["number"])
    assert menus_of(wechat).button == [click("新", "new")]

    path = f"menus/{APPID}/versions/{started['number']}/stop"
    assert (await service.api("POST", path)).status_code == 202
    await run_job(service, jobs, started["number"])

    found = await version(service, started["number"])
    assert found["state"] == "stopped"
    assert found["restored"] is True
    assert menus_of(wechat).button == first["sent"]["button"]
    assert tags(wechat) == ["108", "109", "110"]
    answer = await service.api("POST", path)
    assert answer.status_code == 409


async def test_a_publication_that_is_stopped_before_its_first_call_makes_none(
    service: Service, jobs: Jobs, wechat: WeChat
) -> None:
    started = await ordered(service)
    await service.api("POST", f"menus/{APPID}/versions/{started['number']}/stop")
    await run_job(service, jobs, started["number"])

    assert (await version(service, started["number"]))["state"] == "stopped"
    assert wechat.calls(GET) == []


async def test_a_stop_during_a_call_is_the_end_of_the_steps(
    service: Service, jobs: Jobs, wechat: WeChat, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = await published(service, jobs, CONDITIONAL)
    started = await ordered(service, menu(click("新", "new"), conditional=[for_tag("1")]))
    create = WeChatMenus.create
    stop = f"menus/{APPID}/versions/{started['number']}/stop"
    answers: list[int] = []

    async def create_and_stop(menus: WeChatMenus, appid: AppId, button: list[Json]) -> None:
        await create(menus, appid, button)
        if not answers:
            answers.append((await service.api("POST", stop)).status_code)

    adds = len(wechat.calls(ADD))
    monkeypatch.setattr(WeChatMenus, "create", create_and_stop)
    await run_job(service, jobs, started["number"])

    assert answers == [202]
    assert len(wechat.calls(ADD)) == adds
    found = await version(service, started["number"])
    assert found["state"] == "stopped"
    assert found["restored"] is True
    assert menus_of(wechat).button == first["sent"]["button"]
    assert tags(wechat) == ["108", "109", "110"]


async def test_a_stop_comes_too_late_once_earlier_conditional_menus_are_deleted(
    service: Service, jobs: Jobs, wechat: WeChat
) -> None:
    await published(service, jobs, CONDITIONAL)
    document = menu(click("新", "new"), conditional=[for_tag("1")])
    started = await ordered(service, document)
    delete = WeChatMenus.delete_conditional
    stop = f"menus/{APPID}/versions/{started['number']}/stop"
    refusals: list[httpx.Response] = []

    async def delete_and_stop(menus: WeChatMenus, appid: AppId, menuid: str) -> None:
        await delete(menus, appid, menuid)
        refusals.append(await service.api("POST", stop))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(WeChatMenus, "delete_conditional", delete_and_stop)
        await run_job(service, jobs, started["number"])

    assert [each.status_code for each in refusals] == [409, 409, 409]
    assert "undo" in refusals[0].json()["detail"]
    assert (await version(service, started["number"]))["state"] == "published"
    assert tags(wechat) == ["1"]
    undone = await service.api("POST", f"menus/{APPID}/undo")
    await run_job(service, jobs, undone.json()["number"])
    assert tags(wechat) == ["108", "109", "110"]


async def test_a_call_that_fails_after_a_stop_is_not_made_again(
    service: Service, jobs: Jobs, wechat: WeChat, clock: WorldClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await published(service, jobs, CONDITIONAL)
    started = await ordered(service, menu(conditional=[for_tag("1")]))
    add = WeChatMenus.add_conditional
    stop = f"menus/{APPID}/versions/{started['number']}/stop"

    async def stop_and_fail(menus: WeChatMenus, appid: AppId, body: Json) -> str:
        await service.api("POST", stop)
        wechat.strike(ADD, errcode=-1, count=1)
        return await add(menus, appid, body)

    monkeypatch.setattr(WeChatMenus, "add_conditional", stop_and_fail)
    adds = len(wechat.calls(ADD))
    await run_job(service, jobs, started["number"])
    assert (await version(service, started["number"]))["state"] == "withdrawing"
    clock.advance(timedelta(seconds=2))
    await run_job(service, jobs, started["number"])

    assert (await version(service, started["number"]))["state"] == "stopped"
    assert len(wechat.calls(ADD)) == adds + 1
    assert tags(wechat) == ["108", "109", "110"]


async def test_a_job_waits_for_each_order_failure_and_stop(
    service: Service,
    jobs: Jobs,
    wechat: WeChat,
    clock: WorldClock,
    connection: asyncpg.Connection,
) -> None:
    async def queued() -> list[int]:
        """Return after how many seconds each job may run, and empty the queue."""
        query = """DELETE FROM pgqueuer WHERE entrypoint = 'menus.publish'
            RETURNING round(extract(epoch FROM execute_after - created))"""
        return [int(seconds) for seconds in await column(connection, query)]

    started = await ordered(service, CONDITIONAL)
    assert await queued() == [0]
    wechat.strike(ADD, errcode=-1, count=2)
    for pause in (2, 4):
        await run_job(service, jobs, started["number"])
        assert await queued() == [pause]
        # It is not due before.
        await run_job(service, jobs, started["number"])
        assert await queued() == []
        clock.advance(timedelta(seconds=pause))
    wechat.strike(DELETE, errcode=-1)
    wechat.strike(GET, errcode=-1)
    await run_job(service, jobs, started["number"])
    # The calls that succeeded meanwhile have ended the row of failures.
    assert await queued() == [2]

    stop = f"menus/{APPID}/versions/{started['number']}/stop"
    assert (await service.api("POST", stop)).status_code == 202
    assert await queued() == [0]
    wechat.state.faults.clear()
    await run_job(service, jobs, started["number"])
    assert (await version(service, started["number"]))["state"] == "stopped"
    assert await queued() == []


async def test_the_sweep_finds_what_is_due_and_leaves_a_run_alone(
    service: Service, jobs: Jobs, clock: WorldClock, connection: asyncpg.Connection
) -> None:
    started = await ordered(service)

    async def swept() -> int:
        await connection.execute("DELETE FROM pgqueuer")
        await publishing.sweep(jobs.database.sessions, clock)
        query = "SELECT 1 FROM pgqueuer WHERE entrypoint = 'menus.publish'"
        return len(await column(connection, query))

    assert await swept() == 1
    await publishing.sweep(jobs.database.sessions, clock)
    query = "SELECT 1 FROM pgqueuer WHERE entrypoint = 'menus.publish'"
    assert len(await column(connection, query)) == 1
    await connection.execute(
        "UPDATE menu_versions SET leased_until = $1", clock.now() + timedelta(minutes=1)
    )
    assert await swept() == 0
    clock.advance(timedelta(minutes=1))
    assert await swept() == 1
    await run_job(service, jobs, started["number"])
    assert await swept() == 0


async def test_a_follower_sees_the_first_conditional_menu_that_fits(
    service: Service, jobs: Jobs, wechat: WeChat
) -> None:
    document = menu(
        view(), conditional=[for_tag("108", client_platform_type="2"), for_tag("108", click())]
    )
    found = await published(service, jobs, document)
    wechat.state.followers[APPID][OPENID].tags.append(108)

    answer = await service.api("POST", f"menus/{APPID}/trymatch", json={"openid": OPENID})
    assert answer.json() == {"button": found["sent"]["conditional"][1]["button"], "menu": "c2"}
    wechat.state.followers[APPID][OPENID].tags.clear()
    answer = await service.api("POST", f"menus/{APPID}/trymatch", json={"openid": OPENID})
    assert answer.json()["menu"] == "default"
    answer = await service.api("POST", f"menus/{APPID}/trymatch", json={"openid": "oNOBODY"})
    assert answer.status_code == 422
    (problem,) = answer.json()["detail"]
    assert problem["loc"] == ["body", "openid"]
    assert problem["type"] == "errcode_65302"
    assert "Use the OpenID of a follower" in problem["msg"]
    assert "rid" in problem["msg"]
