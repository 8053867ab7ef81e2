"""`/api/users/{unionid}`: what is known of one person, and what happened."""

import re
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import asyncpg
import pytest
from sqlalchemy import event as sqlalchemy_event

from app.db.engine import Database
from app.users import store
from app.worker import Jobs
from simulator.followers import unionid_of
from tests.service import APPID, OPENID, OTHER_OPENID, Json, Service, event, message

POPUP = {"List": {"TemplateId": "A", "SubscribeStatusString": "accept", "PopupScene": "1"}}
PERSON = f"users/{unionid_of(OPENID)}"


async def a_life(service: Service, jobs: Jobs) -> None:
    for openid in (OPENID, OTHER_OPENID):
        await service.push(event(service.clock, "subscribe", openid=openid, EventKey="qrscene_7"))
    await jobs.resolve({"appid": APPID})
    for document in (
        event(service.clock, "subscribe_msg_popup_event", SubscribeMsgPopupEvent=POPUP),
        message(service.clock, "something private"),
        event(service.clock, "SCAN", EventKey="8"),
        event(service.clock, "unsubscribe"),
        event(service.clock, "subscribe"),
    ):
        service.clock.advance(timedelta(seconds=1))
        await service.push(document | {"CreateTime": service.clock.seconds})


async def test_a_person_is_told_whole(service: Service, jobs: Jobs) -> None:
    await a_life(service, jobs)

    found = await service.read(PERSON)

    (follower,) = found["followers"]
    assert (follower["following"], follower["scene"], follower["source"]) == (True, None, "event")
    assert follower["unfollowed_at"] < follower["followed_at"]
    (consent,) = found["consents"]
    assert (consent["template_id"], consent["state"], consent["sends_left"]) == ("A", "accept", 1)
    assert [one["event"] or one["msgtype"] for one in found["last_interactions"]] == [
        "subscribe",
        "unsubscribe",
        "SCAN",
        "text",
        "subscribe_msg_popup_event",
        "subscribe",
    ]
    assert "private" not in str(found)
    assert [(one["type"], one["action"]) for one in found["timeline"]["items"]] == [
        ("follow_event", "follow"),
        ("follow_event", "unfollow"),
        ("follow_event", "scan"),
        ("subscription_event", "popup"),
        ("follow_event", "follow"),
    ]
    assert [one.get("refollow") for one in found["timeline"]["items"]] == [
        True,
        False,
        False,
        None,
        False,
    ]


@pytest.mark.parametrize("limit", [1, 2, 4, 5])
async def test_pages_of_a_timeline_hold_every_entry_once(
    service: Service, jobs: Jobs, limit: int
) -> None:
    await a_life(service, jobs)
    whole = (await service.read(PERSON))["timeline"]["items"]

    found: list[Json] = []
    query: dict[str, Any] = {"limit": limit}
    while True:
        timeline = (await service.read(PERSON, **query))["timeline"]
        found += timeline["items"]
        if timeline["next"] is None:
            break
        query["before"] = timeline["next"]
        late = event(service.clock, "SCAN", EventKey=f"late{len(found)}")
        await service.push(late | {"CreateTime": service.clock.seconds - 4})

    assert found == whole


MANY = """
INSERT INTO subscription_events (id, callback_id, appid, openid, unionid, action, template_id,
                                 occurred_at)
SELECT gen_random_uuid(), gen_random_uuid(), $1, $2, $3, 'popup', 'A',
       timestamptz '2026-01-01Z' + n * interval '1 minute'
FROM generate_series(1, 30000) n
"""
WORDS = """
INSERT INTO callbacks (id, appid, dedupe_key, openid, msgtype, occurred_at, received_at, payload)
SELECT gen_random_uuid(), $1, int4send(0) || uuid_send(gen_random_uuid()), $2, 'text',
       timestamptz '2026-01-01Z' + n * interval '1 minute', now(), '{}'
FROM generate_series(1, 30000) n
"""


async def test_a_long_life_is_read_from_its_end_by_an_index(
    database: Database, connection: asyncpg.Connection
) -> None:
    """However many rows a person has, no more of them are read than a page holds."""
    for openid, unionid in ((OPENID, "oUNION"), (OTHER_OPENID, "oUNION"), ("oANOTHER", "oELSE")):
        await connection.execute(MANY, APPID, openid, unionid)
        await connection.execute(WORDS, APPID, openid)
    await connection.execute(
        "INSERT INTO openids (appid, openid, unionid, first_seen_at, last_seen_at) "
        "SELECT $1, o, 'oUNION', now(), now() FROM unnest($2::text[]) o",
        APPID,
        [OPENID, OTHER_OPENID],
    )
    await connection.execute("VACUUM ANALYZE subscription_events, callbacks")
    asked: list[tuple[str, tuple[Any, ...]]] = []

    def note(_: object, __: object, sql: str, arguments: Sequence[Any], *___: object) -> None:
        if "subscription_events" in sql or "callbacks" in sql:
            asked.append((sql, tuple(arguments)))

    engine = database.engine.sync_engine
    async with database.sessions() as session:
        sqlalchemy_event.listen(engine, "before_cursor_execute", note)
        keys = [(APPID, OPENID), (APPID, OTHER_OPENID)]
        first = await store.timeline(session, "oUNION", keys, before=None, limit=100)
        await store.timeline(session, "oUNION", keys, before=first.next, limit=100)
        await store.interactions(session, keys)

    assert len(asked) == 5
    for sql, arguments in asked:
        plan = [row[0] for row in await connection.fetch(f"EXPLAIN ANALYZE {sql}", *arguments)]
        read = [line for line in plan if "Index" in line and "Scan" in line]
        assert read, plan
        assert not [line for line in plan if "Seq Scan" in line], plan
        assert all(rows_of(line) <= 250 for line in read), plan


def rows_of(line: str) -> float:
    """Return how many rows a line of EXPLAIN ANALYZE says it read."""
    return float(re.findall(r"actual time=\S+ rows=([\d.]+)", line)[0])


QUERIES = [{"before": "a-1"}, {"before": "x"}, {"limit": 0}, {"after": "t-1-1-1"}]


@pytest.mark.parametrize("query", QUERIES, ids=str)
async def test_a_timeline_is_not_read_from_nowhere(service: Service, query: Json) -> None:
    assert (await service.api("GET", PERSON, params=query)).status_code == 422


async def test_who_is_not_keyed_yet_has_a_state_and_a_history_too(service: Service) -> None:
    await service.push(event(service.clock, "subscribe"))

    found = await service.read("users", appid=APPID, openid=OPENID)

    assert found["unionid"] is None
    assert found["openids"][0]["next_try_at"] is not None
    assert [one["following"] for one in found["followers"]] == [True]
    assert [one["action"] for one in found["timeline"]["items"]] == ["follow"]
