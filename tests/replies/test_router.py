"""`/api/replies`: every answer and its fate, and a second try."""

from datetime import timedelta
from uuid import uuid4

import asyncpg
import pytest

from app.replies.errors import TryLater
from app.worker import Jobs
from tests.replies.makers import deliver, owed, statuses, written
from tests.service import (
    APPID,
    OPENID,
    OTHER_OPENID,
    SEND,
    Service,
    WeChat,
    card,
    column,
    message,
    of_answers,
    text_reply,
)

TEXT = text_reply("my words", via="customer_service")


async def test_a_reply_is_told_with_its_fate_and_without_its_words(
    service: Service, wechat: WeChat, jobs: Jobs
) -> None:
    callback = await owed(service, wechat, TEXT, text_reply("passive words"))
    wechat.strike(SEND, errcode=40003, count=1)
    await deliver(jobs, callback)

    answer = await service.api("GET", "replies")

    passive, queued = answer.json()["items"]
    assert (passive["via"], passive["status"], passive["expires_at"]) == ("passive", "sent", None)
    assert (queued["status"], queued["errcode"], queued["attempts"]) == ("failed", 40003, 1)
    assert (queued["appid"], queued["openid"]) == (APPID, OPENID)
    assert queued["callback_id"] == str(callback)
    assert "words" not in answer.text


async def test_pages_hold_every_reply_once_the_newest_first(
    service: Service, wechat: WeChat
) -> None:
    await owed(service, wechat, *[TEXT] * 4)
    await written(service, wechat)

    seen: list[str] = []
    query: dict[str, str | int] = {"limit": 3}
    for _ in range(3):
        page = await service.read("replies", **query)
        seen += [item["id"] for item in page["items"]]
        query["before"] = page["next"]
    assert page["next"] is None

    assert len(seen) == 8
    assert seen == sorted(set(seen), reverse=True)


async def test_replies_are_found_by_status_account_and_follower(
    service: Service, wechat: WeChat, connection: asyncpg.Connection
) -> None:
    await owed(service, wechat, TEXT)
    await written(service, wechat, openid=OTHER_OPENID)
    await connection.execute("UPDATE replies SET status = 'held' WHERE openid = $1", OPENID)

    async def found(**query: str) -> list[str]:
        page = await service.read("replies", **query)
        return [item["openid"] for item in page["items"]]

    assert await found(status="held") == [OPENID]
    assert await found(openid=OTHER_OPENID) == [OTHER_OPENID]
    assert await found(appid="wx00000000000000ff") == []
    assert await found(appid=APPID, openid=OPENID, status="pending") == []


@pytest.mark.parametrize(
    "query",
    [
        {"limit": 0},
        {"limit": 501},
        {"status": "lost"},
        {"before": "x"},
        {"openid": "a\x00b"},
        {"rule_id": 0},
        {"errcode": 2**31},
        {"msgtype": "A;"},
        {"from": "9999-12-31T00:00:00Z"},
        {"until": "2026-11-28"},
    ],
    ids=str,
)
async def test_a_question_that_makes_no_sense_is_refused(
    service: Service, query: dict[str, str | int]
) -> None:
    assert (await service.api("GET", "replies", params=query)).status_code == 422


@pytest.mark.parametrize("status", ["failed", "held", "skipped"])
async def test_an_unsent_reply_is_sent_when_an_operator_asks_for_it(
    service: Service, wechat: WeChat, jobs: Jobs, connection: asyncpg.Connection, status: str
) -> None:
    callback = await owed(service, wechat, TEXT)
    await connection.execute("UPDATE replies SET status = $1, errcode = 40166", status)
    (reply_id,) = await column(connection, "SELECT id FROM replies")

    answer = await service.api("POST", f"replies/{reply_id}/retry")
    await deliver(jobs, callback)

    assert (answer.status_code, answer.json()["status"]) == (202, "pending")
    assert await statuses(connection) == ["sent"]


async def test_a_card_is_sent_after_its_mini_program_was_linked(
    service: Service, wechat: WeChat, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    mini_program = "wx00000000000000ee"
    callback = await owed(service, wechat, card(appid=mini_program))
    with pytest.raises(TryLater):
        await deliver(jobs, callback)
    waiting = await statuses(connection)
    account = wechat.state.accounts[APPID]
    wechat.state.accounts[APPID] = account.model_copy(
        update={"linked_mini_programs": (mini_program,)}
    )
    service.clock.advance(timedelta(seconds=60))

    await deliver(jobs, callback)

    assert waiting == ["pending"]
    assert await statuses(connection) == ["sent"]


@pytest.mark.parametrize("status", ["sent", "sending", "expired"])
async def test_what_is_sent_under_way_or_over_is_not_sent_again(
    service: Service, wechat: WeChat, connection: asyncpg.Connection, status: str
) -> None:
    await owed(service, wechat, TEXT)
    await connection.execute("UPDATE replies SET status = $1", status)
    (reply_id,) = await column(connection, "SELECT id FROM replies")

    answer = await service.api("POST", f"replies/{reply_id}/retry")

    assert answer.status_code == 409
    assert await statuses(connection) == [status]


async def test_a_reply_whose_window_is_over_is_not_sent_again(
    service: Service, wechat: WeChat, connection: asyncpg.Connection
) -> None:
    await owed(service, wechat, TEXT)
    await connection.execute("UPDATE replies SET status = 'failed'")
    (reply_id,) = await column(connection, "SELECT id FROM replies")
    service.clock.advance(timedelta(hours=49))

    assert (await service.api("POST", f"replies/{reply_id}/retry")).status_code == 409


async def test_a_passive_reply_is_not_sent_again(
    service: Service, wechat: WeChat, connection: asyncpg.Connection
) -> None:
    await owed(service, wechat, text_reply())
    (reply_id,) = await column(connection, of_answers("SELECT id FROM answers"))

    assert (await service.api("POST", f"replies/{reply_id}/retry")).status_code == 409


async def test_an_unknown_reply_is_not_found(service: Service) -> None:
    assert (await service.api("POST", f"replies/{uuid4()}/retry")).status_code == 404


@pytest.mark.parametrize("path", ["replies", "users/x", "follow-events", "subscription-events"])
async def test_without_a_token_nothing_is_told(service: Service, path: str) -> None:
    await service.push(message(service.clock))

    bare = await service.http.get(f"/api/{path}")
    wrong = await service.http.get(f"/api/{path}", headers={"authorization": "Bearer wrong"})

    assert (bare.status_code, wrong.status_code) == (401, 401)
    assert OPENID not in bare.text + wrong.text


async def test_a_reply_tells_what_its_errcode_means_and_what_to_do(
    service: Service, wechat: WeChat, jobs: Jobs
) -> None:
    callback = await owed(service, wechat, TEXT)
    wechat.strike(SEND, errcode=40166, count=1)
    await deliver(jobs, callback)

    (english,) = (await service.read("replies"))["items"]
    (chinese,) = (await service.read("replies", language="zh"))["items"]

    assert english["meaning"] == "The mini-program's AppID is wrong, or it is not linked."
    assert english["fix"].startswith("Link the mini-program to the Official Account")
    assert chinese["meaning"] == "小程序 AppID 不正确或未关联。"
    assert chinese["fix"].startswith("请在公众平台把该小程序关联到公众号")
    assert english["rid"]
    assert english["rid"] == chinese["rid"]
    retried = await service.api("POST", f"replies/{english['id']}/retry?language=zh")
    assert retried.json()["meaning"] == chinese["meaning"]


async def test_an_unknown_errcode_is_told_with_its_rid(
    service: Service, wechat: WeChat, jobs: Jobs
) -> None:
    callback = await owed(service, wechat, TEXT)
    wechat.strike(SEND, errcode=99999, count=1)
    await deliver(jobs, callback)

    (reply,) = (await service.read("replies"))["items"]

    assert "99999" in reply["meaning"]
    assert reply["rid"] in reply["fix"]


async def test_a_reply_without_an_errcode_has_no_meaning(service: Service, wechat: WeChat) -> None:
    await owed(service, wechat, TEXT)

    (reply,) = (await service.read("replies"))["items"]

    assert (reply["rid"], reply["meaning"], reply["fix"]) == (None, None, None)
    assert (await service.api("GET", "replies?language=fr")).status_code == 422


async def test_replies_are_found_by_rule_errcode_kind_and_time(
    service: Service, connection: asyncpg.Connection
) -> None:
    begin = service.clock.now()
    shop = await service.add_rule(card(), text_reply("at once"))
    await service.push(message(service.clock))
    service.clock.advance(timedelta(hours=1))
    trigger = {"on": "text", "match": "exact", "keyword": "help"}
    helped = await service.add_rule(text_reply("help"), trigger=trigger)
    await service.push(message(service.clock, "help"))
    await connection.execute("UPDATE replies SET status = 'failed', errcode = 40166")

    async def found(**query: str | int) -> list[tuple[str, int]]:
        page = await service.read("replies", **query)
        assert page["next"] is None
        return [(item["msgtype"], item["rule_id"]) for item in page["items"]]

    everything = [("text", helped), ("text", shop), ("miniprogrampage", shop)]
    assert await found() == everything
    assert await found(rule_id=shop) == everything[1:]
    assert await found(rule_id=shop + 9) == []
    assert await found(errcode=40166) == everything[2:]
    assert await found(errcode=45015) == []
    assert await found(msgtype="text") == everything[:2]
    assert await found(msgtype="text", rule_id=helped) == everything[:1]
    later = (begin + timedelta(minutes=30)).isoformat()
    assert await found(**{"from": later}) == everything[:1]
    assert await found(until=later) == everything[1:]
    assert await found(**{"from": begin.isoformat(), "until": begin.isoformat()}) == []


async def test_a_filter_without_an_index_looks_at_so_many_and_goes_on(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.replies.admin_store.MAX_SEARCHED", 4)
    trigger = {"on": "text", "match": "exact", "keyword": "rare"}
    rare = await service.add_rule(card(), text_reply("rare"), trigger=trigger)
    await service.add_rule(card(), text_reply("often"))
    await service.push(message(service.clock, "rare"))
    for _ in range(9):
        service.clock.advance(timedelta(seconds=1))
        await service.push(message(service.clock))

    sizes: list[int] = []
    found: list[str] = []
    cursor: dict[str, str] = {}
    while len(sizes) < 20:
        page = await service.read("replies", rule_id=rare, **cursor)
        sizes.append(len(page["items"]))
        found += [item["via"] for item in page["items"]]
        if page["next"] is None:
            break
        cursor = {"before": page["next"]}

    assert sorted(found) == ["customer_service", "passive"]
    assert sizes[0] == 0
    assert len(sizes) == 3
