"""Tags and who has them are read from WeChat."""

import asyncpg
import pytest

from app.worker import Jobs
from tests.service import APPID, Json, Service, WeChat
from tests.tags.makers import LEASE_OVER, MEMBERS, ask, known, of_run, people, run, tag

pytestmark = pytest.mark.asyncio


async def pulled(service: Service, jobs: Jobs) -> Json:
    answer = await service.api("POST", "tags/pull", json={"appid": APPID})
    assert answer.status_code == 202, answer.text
    started: Json = answer.json()
    await run(jobs)
    return await of_run(service, started)


@pytest.mark.parametrize("method", ["POST", "GET"])
async def test_tags_and_people_become_what_wechat_has(
    service: Service, wechat: WeChat, jobs: Jobs, connection: asyncpg.Connection, method: str
) -> None:
    wechat.state.tags.page_size, wechat.state.tags.members_method = 2, method
    tag_id = await tag(service, wechat)
    openids = await people(service, wechat, connection, 5)
    await ask(service, tag_id, openids=openids[:3])
    await run(jobs)
    service.clock.advance(LEASE_OVER)
    # Meanwhile, in WeChat's console:
    other = wechat.state.tags.account(APPID).add("新")
    for openid in openids:
        wechat.state.meet(APPID, openid).tags = [other] if openid == openids[0] else [tag_id, other]
    wechat.state.meet(APPID, "oUNKNOWN").follow(service.clock.now())
    wechat.state.meet(APPID, "oUNKNOWN").tags = [tag_id]

    found = await pulled(service, jobs)
    assert (found["state"], found["done"], found["total"]) == ("done", 3, 3)
    assert await known(connection, tag_id) == openids[1:]
    assert await known(connection, other) == openids
    listed = {one["tag_id"]: one for one in (await service.read("tags"))["items"]}
    assert listed[other]["name"] == "新"
    assert (listed[tag_id]["people"], listed[tag_id]["known"]) == (5, 4)


async def test_a_tag_that_was_deleted_at_wechat_is_forgotten_with_its_people(
    service: Service, wechat: WeChat, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    tag_id = await tag(service, wechat)
    await people(service, wechat, connection, 2)
    await ask(service, tag_id, filter={})
    await run(jobs)
    service.clock.advance(LEASE_OVER)
    del wechat.state.tags.account(APPID).names[tag_id]
    await pulled(service, jobs)
    assert [one["tag_id"] for one in (await service.read("tags"))["items"]] == [2]
    assert await known(connection, tag_id) == []


async def test_a_pull_that_fails_goes_on_where_it_was(
    service: Service, wechat: WeChat, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    tag_id = await tag(service, wechat)
    openids = await people(service, wechat, connection, 1)
    wechat.state.meet(APPID, openids[0]).tags = [tag_id]
    wechat.strike(MEMBERS, errcode=-1, count=1)
    found = await pulled(service, jobs)
    assert (found["state"], found["problem"]["errcode"]) == ("running", -1)
    assert found["done"] == 0
    service.clock.advance(LEASE_OVER)
    await run(jobs)
    found = await of_run(service, found)
    assert (found["state"], found["done"], found["problem"]) == ("done", 2, None)
    assert await known(connection, tag_id) == openids


async def test_a_pull_that_waits_is_not_started_twice(service: Service, wechat: WeChat) -> None:
    await tag(service, wechat)
    first = await service.api("POST", "tags/pull", json={"appid": APPID})
    again = await service.api("POST", "tags/pull", json={"appid": APPID})
    assert first.json()["id"] == again.json()["id"]
