"""`/api/replies/retries`: all replies that a filter finds are counted, sent again, and followed."""

from datetime import timedelta
from uuid import uuid4

import asyncpg
import pytest

from app.worker import Jobs
from tests.replies.makers import deliver, owed, statuses, written
from tests.service import (
    OPENID,
    OTHER_OPENID,
    Json,
    Service,
    WeChat,
    card,
    column,
    rows,
    text_reply,
)

TEXT = text_reply("my words", via="customer_service")


async def failed(service: Service, wechat: WeChat, connection: asyncpg.Connection) -> None:
    """Leave a text and a card failed for one follower, and for another one."""
    await owed(service, wechat, TEXT, card())
    service.clock.advance(timedelta(minutes=10))
    await written(service, wechat, openid=OTHER_OPENID)
    await connection.execute("DELETE FROM pgqueuer")
    await connection.execute("UPDATE replies SET status = 'failed', errcode = 40003")
    await connection.execute("UPDATE replies SET errcode = 40166 WHERE msgtype <> 'text'")


async def test_all_that_match_are_counted_sent_again_and_followed(
    service: Service, wechat: WeChat, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    await failed(service, wechat, connection)
    chosen: dict[str, str | int] = {"status": "failed", "errcode": 40166}
    body: Json = {**chosen, "id": str(uuid4())}

    counted = await service.read("replies/retries/count", **chosen)
    starts = [await service.api("POST", "replies/retries", json=body) for _ in range(2)]
    running = await service.read(f"replies/retries/{body['id']}")
    await jobs.retry({"retry_id": body["id"]})
    ended = await service.read(f"replies/retries/{body['id']}")
    for callback in await column(connection, "SELECT DISTINCT callback_id FROM replies"):
        await deliver(jobs, callback)

    assert counted == {"count": 2, "more": False}
    assert [answer.status_code for answer in starts] == [202, 202]
    assert (running["total"], running["done"], running["ended_at"]) == (2, 0, None)
    assert starts[0].json() == starts[1].json() == running
    assert (ended["done"], ended["refused"]) == (2, 0)
    assert ended["ended_at"] is not None
    assert sorted(await statuses(connection)) == ["failed", "failed", "sent", "sent"]
    audited = await rows(connection, "SELECT * FROM audit_log WHERE action = 'replies.retried'")
    assert [one["subject_id"] for one in audited] == [body["id"]]
    assert await service.read("replies/retries/count", **chosen) == {"count": 0, "more": False}


async def test_a_retry_goes_on_while_another_worker_is_at_a_reply_of_it(
    service: Service, wechat: WeChat, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    """That worker may die, and whoever comes then has to find what it left."""
    await failed(service, wechat, connection)
    started = (await service.api("POST", "replies/retries", json={})).json()
    of_other = "SELECT FROM reply_retry_items ORDER BY reply_id DESC LIMIT 1 FOR UPDATE"

    async with connection.transaction():
        await connection.execute(of_other)
        await jobs.retry({"retry_id": started["id"]})
        meanwhile = await service.read(f"replies/retries/{started['id']}")
    await jobs.retry({"retry_id": started["id"]})
    ended = await service.read(f"replies/retries/{started['id']}")

    assert (meanwhile["done"], meanwhile["ended_at"]) == (3, None)
    assert (ended["done"], ended["refused"]) == (4, 0)
    assert ended["ended_at"] is not None


async def test_what_was_sent_or_has_ended_before_its_turn_is_not_sent_again(
    service: Service, wechat: WeChat, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    await failed(service, wechat, connection)
    started = (await service.api("POST", "replies/retries", json={})).json()
    await connection.execute("UPDATE replies SET status = 'sent' WHERE openid = $1", OPENID)
    await connection.execute(
        "UPDATE replies SET expires_at = $2 WHERE openid = $1 AND msgtype = 'text'",
        OTHER_OPENID,
        service.clock.now(),
    )

    await jobs.retry({"retry_id": started["id"]})

    ended = await service.read(f"replies/retries/{started['id']}")
    assert (ended["done"], ended["refused"]) == (4, 3)
    fates = "SELECT status, count(*) AS n FROM replies GROUP BY 1 ORDER BY 1"
    assert await rows(connection, fates) == [
        {"status": "failed", "n": 1},
        {"status": "pending", "n": 1},
        {"status": "sent", "n": 2},
    ]


async def test_each_filter_narrows_what_is_found(
    service: Service, wechat: WeChat, connection: asyncpg.Connection
) -> None:
    begin = service.clock.now()
    await failed(service, wechat, connection)
    (first_rule,) = set(await column(connection, "SELECT rule_id FROM replies"))

    async def count(**query: str | int) -> int:
        found: int = (await service.read("replies/retries/count", **query))["count"]
        return found

    assert await count() == 4
    assert await count(status="held") == 0
    assert await count(openid=OPENID) == 2
    assert await count(openid=OPENID, msgtype="text") == 1
    assert await count(appid="wx00000000000000ff") == 0
    assert await count(rule_id=first_rule) == 4
    assert await count(rule_id=first_rule + 1) == 0
    assert await count(errcode=45015) == 0
    later = (begin + timedelta(minutes=5)).isoformat()
    assert await count(until=later) == await count(**{"from": later}) == 2
    await connection.execute("UPDATE replies SET content = '{}' WHERE openid = $1", OPENID)
    assert await count() == 2
    service.clock.advance(timedelta(hours=48))
    assert await count() == 0


async def test_what_may_have_arrived_is_sent_again_only_if_that_is_asked_for(
    service: Service, wechat: WeChat, connection: asyncpg.Connection
) -> None:
    await failed(service, wechat, connection)
    await connection.execute(
        "UPDATE replies SET errcode = NULL, errmsg = 'outcome unknown: no answer' "
        "WHERE msgtype = 'text'"
    )

    usual = await service.api("POST", "replies/retries", json={})
    asked = await service.api("POST", "replies/retries", json={"include_uncertain": True})

    assert (usual.json()["total"], asked.json()["total"]) == (2, 4)


async def test_more_than_one_retry_takes_are_left_to_another(
    service: Service,
    wechat: WeChat,
    connection: asyncpg.Connection,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await failed(service, wechat, connection)
    monkeypatch.setattr("app.replies.retry_store.MAX_RETRIED", 3)

    oldest = await column(connection, "SELECT id FROM replies ORDER BY id LIMIT 3")

    counted = await service.read("replies/retries/count")
    started = await service.api("POST", "replies/retries", json={})

    assert counted == {"count": 3, "more": True}
    assert started.json()["total"] == 3
    chosen = "SELECT reply_id FROM reply_retry_items ORDER BY reply_id"
    assert await column(connection, chosen) == oldest


@pytest.mark.parametrize(
    "body",
    [
        {"status": "sent"},
        {"state": "failed"},
        {"errcode": 2**31},
        {"msgtype": "A;"},
        {"from": "2026-11-28"},
        {"rule_id": 0},
        {"id": "x"},
    ],
    ids=str,
)
async def test_a_filter_that_makes_no_sense_starts_nothing(
    service: Service,
    connection: asyncpg.Connection,
    body: dict[str, str | int],
) -> None:
    answer = await service.api("POST", "replies/retries", json=body)
    counted = await service.api("GET", "replies/retries/count", params=body)

    assert (answer.status_code, counted.status_code) == (422, 422)
    assert await column(connection, "SELECT 1 FROM reply_retries") == []


async def test_an_unknown_retry_is_not_found(service: Service) -> None:
    assert (await service.api("GET", f"replies/retries/{uuid4()}")).status_code == 404
