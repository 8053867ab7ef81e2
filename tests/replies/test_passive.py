"""A passive reply is stored once, with its push, and is listed like every other reply."""

from datetime import timedelta
from uuid import UUID, uuid4

import asyncpg

from app import refs
from app.db.engine import Database
from app.replies import admin_store, counts
from app.settings import Settings
from tests.service import (
    APPID,
    OPENID,
    OTHER_OPENID,
    Json,
    Service,
    WorldClock,
    card,
    column,
    event,
    message,
    running,
    text_reply,
)

# As the version before wrote a passive reply: with its push, and in a row of its own.
OLD_ROWS = """
WITH pushed AS (
    INSERT INTO callbacks (id, appid, dedupe_key, openid, msgtype, event, occurred_at,
                           received_at, payload, rule_id, passive)
    VALUES ($1, $2, '\\x00', $3, 'text', NULL, $4, $4, '{"Content": "a"}', 7,
            '{"msgtype": "text", "via": "passive", "content": "old"}')
    RETURNING id
)
INSERT INTO replies (id, callback_id, position, appid, openid, rule_id, via, msgtype, content,
                     status, errmsg, created_at, expires_at, sent_at)
SELECT $5, id, 0, $2, $3, 7, 'passive', 'text', '{"content": "old"}', 'sent', NULL, $4, NULL, $4
FROM pushed
"""


async def pages(service: Service, **query: str) -> list[Json]:
    """Every reply, read in pages of one."""
    found: list[Json] = []
    before: str | None = None
    while True:
        cursor = {} if before is None else {"before": before}
        page = await service.read("replies", limit=1, **cursor, **query)
        found += page["items"]
        before = page["next"]
        if before is None:
            return found


async def test_one_row_holds_a_passive_reply_and_the_list_has_all(
    service: Service, connection: asyncpg.Connection, clock: WorldClock
) -> None:
    first = await service.add_rule(card(), text_reply("{ref}"))
    answers = []
    for _ in range(2):
        clock.advance(timedelta(seconds=1))
        answers.append((await service.answer(message(clock))).reply["Content"])

    assert await column(connection, "SELECT via FROM replies") == ["customer_service"] * 2
    listed = await pages(service)
    assert [(row["via"], row["status"], row["msgtype"], row["rule_id"]) for row in listed] == [
        ("passive", "sent", "text", first),
        ("customer_service", "pending", "miniprogrampage", first),
    ] * 2
    assert [refs.of_reply(UUID(row["id"])) for row in listed[::2]] == answers[::-1]
    pushes = await column(connection, "SELECT id::text FROM callbacks ORDER BY id DESC")
    assert [row["callback_id"] for row in listed] == [pushes[0]] * 2 + [pushes[1]] * 2
    assert listed[0]["created_at"] == listed[0]["sent_at"] == listed[1]["created_at"]


async def test_the_filters_hold_for_both_kinds(service: Service, clock: WorldClock) -> None:
    await service.add_rule(card(), text_reply("hello"))
    for openid in (OPENID, OTHER_OPENID):
        await service.push(message(clock, openid=openid))

    async def found(**query: str) -> list[str]:
        return sorted(row["via"] for row in await pages(service, **query))

    assert await found(openid=OPENID) == ["customer_service", "passive"]
    assert await found(status="sent") == ["passive", "passive"]
    assert await found(status="pending", openid=OPENID) == ["customer_service"]
    assert await found(appid=APPID, status="sent", openid=OTHER_OPENID) == ["passive"]
    assert await found(appid="wx0") == []


async def test_the_reply_of_another_rule_than_the_best_has_that_rule(
    settings: Settings, clock: WorldClock, connection: asyncpg.Connection
) -> None:
    every = settings.model_copy(update={"rules_mode": "every"})
    async with running(every, clock) as service:
        best = await service.add_rule(card(), priority=2)
        other = await service.add_rule(text_reply("hello"), priority=1)

        await service.push(message(clock))

        assert await column(connection, "SELECT rule_id FROM callbacks") == [best]
        assert [row["rule_id"] for row in await pages(service)] == [other, best]


async def test_what_an_older_version_wrote_twice_is_listed_once(
    service: Service, connection: asyncpg.Connection, clock: WorldClock, database: Database
) -> None:
    reply_id = uuid4()
    await connection.execute(OLD_ROWS, uuid4(), APPID, OPENID, clock.now(), reply_id)
    await service.add_rule(text_reply("new"))
    await service.push(message(clock))

    assert len(await pages(service)) == 2
    callback_id = (await column(connection, "SELECT callback_id FROM replies"))[0]
    async with database.sessions() as session:
        found = await admin_store.of_callback(session, callback_id, APPID, OPENID)
    assert [reply.id for reply in found] == [reply_id]


async def test_an_erased_one_is_listed_without_what_it_said(
    service: Service, connection: asyncpg.Connection, clock: WorldClock, database: Database
) -> None:
    await service.add_rule(text_reply("hello {account}"))
    await service.push(message(clock))
    before = await pages(service)

    await connection.execute("UPDATE callbacks SET payload = '{}', passive = NULL")

    assert await pages(service) == before
    async with database.sessions() as session:
        (found,) = (await admin_store.page(session, admin_store.ReplyQuery(None, 10))).rows
    assert found.content == {}


async def test_the_figures_count_both_kinds(
    service: Service, connection: asyncpg.Connection, clock: WorldClock, database: Database
) -> None:
    await service.add_rule(card(), text_reply("hello"))
    for _ in range(3):
        await service.push(message(clock))
    await service.push(event(clock, "VIEW", EventKey="x"))
    await connection.execute("UPDATE replies SET status = 'sent'")
    begin, minute = clock.now() - timedelta(seconds=1), timedelta(minutes=1)

    async with database.sessions() as session:
        assert await counts.sent(session, begin, begin + minute) == 6
        assert await counts.sent(session, begin - minute, begin) == 0
        assert sum((await counts.sent_by_minute(session, begin)).values()) == 6
