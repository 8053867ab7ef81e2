"""Runs that tag many people: in calls of 50, in order, through kills and refusals."""

import asyncio
from datetime import timedelta

import asyncpg
import pytest

from app.tags import people as filtered
from app.tags import run_store
from app.tags.schemas import MAX_PEOPLE
from app.worker import Jobs
from simulator.menus import Conditional
from tests.service import APPID, OPENID, Json, Service, WeChat, column, wechat_names
from tests.tags.makers import (
    LEASE_OVER,
    TAGGING,
    UNTAGGING,
    ask,
    having,
    known,
    of_run,
    people,
    run,
    tag,
)

pytestmark = pytest.mark.asyncio


def sizes(wechat: WeChat, path: str = TAGGING) -> list[int]:
    return [call["body"].count('"o') - 1 for call in wechat.calls(path)]


async def test_people_are_tagged_fifty_at_a_time_and_untagged_again(
    service: Service, wechat: WeChat, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    tag_id = await tag(service, wechat)
    openids = await people(service, wechat, connection, 120)
    started = await ask(service, tag_id, openids=[*openids, openids[0], "oNOBODY"])
    assert (started["total"], started["unknown"]) == (120, ["oNOBODY"])
    await run(jobs)

    assert having(wechat, tag_id) == openids == await known(connection, tag_id)
    assert sizes(wechat) == [50, 50, 20]
    found = await of_run(service, started)
    assert (found["state"], found["done"], found["refused"]) == ("done", 120, 0)
    assert found["next_at"] is None
    await ask(service, tag_id, action="untag", filter={"tag_id": tag_id})
    await run(jobs)
    assert having(wechat, tag_id) == [] == await known(connection, tag_id)
    assert await column(connection, "SELECT count(*) FROM tag_run_people") == [0]


async def test_who_is_refused_is_named_and_the_others_are_tagged(
    service: Service, wechat: WeChat, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    tag_id = await tag(service, wechat)
    openids = await people(service, wechat, connection, 50)
    full, gone = openids[7], openids[31]
    wechat.state.meet(APPID, full).tags = list(range(1000, 1020))
    wechat.state.meet(APPID, gone).unfollow()
    started = await ask(service, tag_id, openids=openids)
    await run(jobs)

    others = [one for one in openids if one not in {full, gone}]
    assert having(wechat, tag_id) == others == await known(connection, tag_id)
    found = await of_run(service, started)
    assert (found["state"], found["done"], found["refused"]) == ("done", 48, 2)
    refused = await service.read(f"tag-runs/{started['id']}/refused", limit=1)
    assert [(one["openid"], one["errcode"]) for one in refused["items"]] == [(full, 45059)]
    assert refused["items"][0]["meaning"]
    more = await service.read(f"tag-runs/{started['id']}/refused", after=refused["next"])
    assert [(one["openid"], one["errcode"]) for one in more["items"]] == [(gone, 49003)]
    assert more["next"] is None


async def test_unionids_name_people_too(
    service: Service, wechat: WeChat, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    tag_id = await tag(service, wechat)
    (openid,) = await people(service, wechat, connection, 1)
    await wechat_names(service, openid, "uONE")
    started = await ask(service, tag_id, unionids=["uONE", "uNOBODY"])
    assert started["unknown"] == ["uNOBODY"]
    await run(jobs)
    assert having(wechat, tag_id) == [openid]


@pytest.mark.parametrize("read_at_once", [1, 3, 5000])
async def test_a_filter_finds_who_matches_however_many_rows_are_read_at_once(
    service: Service,
    wechat: WeChat,
    jobs: Jobs,
    connection: asyncpg.Connection,
    monkeypatch: pytest.MonkeyPatch,
    read_at_once: int,
) -> None:
    monkeypatch.setattr(filtered, "READ_AT_ONCE", read_at_once)
    tag_id = await tag(service, wechat)
    await people(service, wechat, connection, 3, prefix="oA", scene="other")
    service.clock.advance(timedelta(days=1))
    wanted = await people(service, wechat, connection, 4, prefix="oB", scene="s", how="ADD_X")
    await people(service, wechat, connection, 2, prefix="oC", scene="s")
    left = await people(service, wechat, connection, 1, prefix="oD", scene="s", how="ADD_X")
    await connection.execute("UPDATE followers SET following = false WHERE openid = $1", left[0])
    since = (service.clock.now() - timedelta(hours=1)).isoformat()
    wish = {"scene": "s", "how": "ADD_X", "seen_since": since}
    assert (await count(service, wish)) == 4
    started = await ask(service, tag_id, filter=wish)
    await run(jobs)

    assert having(wechat, tag_id) == wanted
    found = await of_run(service, started)
    assert (found["state"], found["done"], found["total"]) == ("done", 4, None)
    assert await count(service, {"tag_id": tag_id}) == 4
    assert await count(service, {"seen_before": since}) == 3


async def count(service: Service, wanted: Json) -> int:
    answer = await service.api("POST", "tags/count", json={"filter": wanted})
    assert answer.status_code == 200, answer.text
    found: int = answer.json()["people"]
    return found


class Killed(Exception):
    """The worker is gone."""


@pytest.mark.parametrize("by_filter", [True, False])
async def test_a_worker_that_dies_after_a_call_leaves_nobody_out_and_counts_nobody_twice(
    service: Service,
    wechat: WeChat,
    jobs: Jobs,
    connection: asyncpg.Connection,
    monkeypatch: pytest.MonkeyPatch,
    by_filter: bool,
) -> None:
    tag_id = await tag(service, wechat)
    openids = await people(service, wechat, connection, 120)
    wish: Json = {"filter": {}} if by_filter else {"openids": openids}
    started = await ask(service, tag_id, **wish)
    record = run_store.record
    calls = 0

    async def killed_after_the_second_call(*arguments: object) -> object:
        nonlocal calls
        calls += 1
        if calls == 2:
            raise Killed
        return await record(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(run_store, "record", killed_after_the_second_call)
    with pytest.raises(Killed):
        await run(jobs)
    assert (await of_run(service, started))["done"] == 50
    await run(jobs)
    assert len(sizes(wechat)) == 2, "the lease of the dead worker holds"
    service.clock.advance(LEASE_OVER)
    await run(jobs)

    assert having(wechat, tag_id) == openids == await known(connection, tag_id)
    found = await of_run(service, started)
    assert (found["state"], found["done"]) == ("done", 120)
    assert sizes(wechat) == [50, 50, 50, 20]


async def test_runs_of_an_account_keep_their_order_while_the_first_one_waits(
    service: Service, wechat: WeChat, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    tag_id = await tag(service, wechat)
    openids = await people(service, wechat, connection, 2)
    wechat.strike(TAGGING, errcode=-1, count=1)
    first = await ask(service, tag_id, openids=openids)
    await ask(service, tag_id, action="untag", openids=openids)
    await run(jobs)
    waiting = await of_run(service, first)
    assert (waiting["state"], waiting["problem"]["errcode"]) == ("running", -1)
    assert wechat.calls(UNTAGGING) == []

    service.clock.advance(timedelta(seconds=2))
    await run(jobs)
    assert (await of_run(service, first))["problem"] is None
    assert having(wechat, tag_id) == [] == await known(connection, tag_id)
    assert len(wechat.calls(UNTAGGING)) == 1


async def test_workers_at_the_same_time_make_each_call_once(
    service: Service, wechat: WeChat, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    tag_id = await tag(service, wechat)
    openids = await people(service, wechat, connection, 120)
    started = await ask(service, tag_id, filter={})
    await ask(service, tag_id, action="untag", openids=openids[:60])
    await asyncio.gather(run(jobs), run(jobs), run(jobs))
    await run(jobs)

    assert (await of_run(service, started))["done"] == 120
    assert having(wechat, tag_id) == openids[60:] == await known(connection, tag_id)
    assert sizes(wechat) == [50, 50, 20]


async def test_a_tag_that_wechat_does_not_know_fails_the_run(
    service: Service, wechat: WeChat, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    tag_id = await tag(service, wechat)
    openids = await people(service, wechat, connection, 2)
    del wechat.state.tags.account(APPID).names[tag_id]
    started = await ask(service, tag_id, openids=openids)
    await run(jobs)
    found = await of_run(service, started)
    assert (found["state"], found["problem"]["errcode"]) == ("failed", 45159)
    assert found["problem"]["fix"]
    assert await column(connection, "SELECT count(*) FROM tag_run_people") == [0]


async def test_a_used_up_quota_is_waited_for(
    service: Service, wechat: WeChat, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    tag_id = await tag(service, wechat)
    openids = await people(service, wechat, connection, 2)
    wechat.strike(TAGGING, errcode=45009, count=1)
    started = await ask(service, tag_id, openids=openids)
    await run(jobs)
    found = await of_run(service, started)
    assert (found["state"], found["problem"]["errcode"]) == ("running", 45009)
    await run(jobs)
    assert len(wechat.calls(TAGGING)) == 1
    service.clock.advance(timedelta(days=1))
    await run(jobs)
    assert (await of_run(service, started))["state"] == "done"


async def test_a_stopped_run_calls_for_nobody_else(
    service: Service, wechat: WeChat, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    tag_id = await tag(service, wechat)
    openids = await people(service, wechat, connection, 2)
    started = await ask(service, tag_id, openids=openids)
    path = f"tag-runs/{started['id']}/stop"
    answer = await service.api("POST", path)
    assert (answer.status_code, answer.json()["state"]) == (200, "stopped")
    await run(jobs)
    assert wechat.calls(TAGGING) == []
    assert (await service.api("POST", path)).status_code == 409


async def test_what_a_call_did_while_its_run_was_stopped_is_known(
    service: Service,
    wechat: WeChat,
    jobs: Jobs,
    connection: asyncpg.Connection,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tag_id = await tag(service, wechat)
    openids = await people(service, wechat, connection, 60)
    started = await ask(service, tag_id, openids=openids)
    record = run_store.record

    async def stopped_meanwhile(*arguments: object) -> object:
        monkeypatch.setattr(run_store, "record", record)
        assert (await service.api("POST", f"tag-runs/{started['id']}/stop")).status_code == 200
        return await record(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(run_store, "record", stopped_meanwhile)
    await run(jobs)
    assert having(wechat, tag_id) == openids[:50] == await known(connection, tag_id)
    found = await of_run(service, started)
    assert (found["state"], found["done"]) == ("stopped", 50)


async def test_a_repeated_key_starts_one_run_also_at_the_same_time(
    service: Service, wechat: WeChat, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    tag_id = await tag(service, wechat)
    openids = await people(service, wechat, connection, 3)
    found = await asyncio.gather(
        *(ask(service, tag_id, openids=openids, key="one") for _ in range(4))
    )
    assert len({one["id"] for one in found}) == 1
    await run(jobs)
    assert (await ask(service, tag_id, openids=openids, key="one"))["state"] == "done"
    await run(jobs)
    assert sizes(wechat) == [3]
    body = {"action": "tag", "openids": openids[:1], "key": "one"}
    answer = await service.api("POST", f"tags/{tag_id}/people", json=body)
    assert answer.status_code == 409


async def test_more_ids_than_a_request_may_name_are_refused(
    service: Service, wechat: WeChat
) -> None:
    tag_id = await tag(service, wechat)
    openids = [f"o{number}" for number in range(MAX_PEOPLE + 1)]
    body = {"action": "tag", "openids": openids}
    answer = await service.api("POST", f"tags/{tag_id}/people", json=body)
    assert answer.status_code == 422
    assert "openids" in answer.text


async def test_so_many_runs_wait_and_not_one_more(
    service: Service, wechat: WeChat, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_store, "MAX_OPEN_RUNS", 2)
    tag_id = await tag(service, wechat)
    for _ in range(2):
        await ask(service, tag_id, filter={})
    body: Json = {"action": "tag", "filter": {}}
    answer = await service.api("POST", f"tags/{tag_id}/people", json=body)
    assert answer.status_code == 409
    assert "stop some of them" in answer.text


async def test_the_sweep_finds_a_run_whose_job_was_lost(
    service: Service, wechat: WeChat, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    tag_id = await tag(service, wechat)
    await people(service, wechat, connection, 1)
    await ask(service, tag_id, filter={})
    await connection.execute("DELETE FROM pgqueuer")
    for _ in range(2):
        await jobs.sweep()
    queued = "SELECT entrypoint FROM pgqueuer WHERE entrypoint = 'tags.run'"
    assert await column(connection, queued) == ["tags.run"]


async def test_a_follower_who_is_tagged_sees_the_conditional_menu(
    service: Service, wechat: WeChat, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    tag_id = await tag(service, wechat)
    await people(service, wechat, connection, 1)
    await ask(service, tag_id, filter={})
    await run(jobs)
    menus = wechat.state.menus.of[APPID]
    menus.button = [{"type": "click", "name": "All", "key": "all"}]
    own: Json = {"type": "click", "name": "Members", "key": "members"}
    menus.conditional = [Conditional(1, [own], {"tag_id": str(tag_id)})]
    assert menus.seen_by(wechat.state.meet(APPID, "oP0000")) == [own]
    assert menus.seen_by(wechat.state.meet(APPID, OPENID)) == menus.button
    person = await service.read("users", appid=APPID, openid="oP0000")
    assert [(one["tag_id"], one["name"]) for one in person["tags"]] == [(tag_id, "会员")]
