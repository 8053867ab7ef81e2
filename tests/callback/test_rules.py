"""Rules on the whole way of a push: facts, cooldowns, several rules, templates."""

import asyncio
import json
from datetime import timedelta
from pathlib import Path
from uuid import RFC_4122

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app import refs
from app.callback import inbox
from app.callback.errors import CooldownLost
from app.callback.record import Record, StoredResult
from app.rules.matching.reply_id import reply_id
from app.settings import Settings
from simulator.replies import Answer
from tests.callback.makers import drained, locked
from tests.rules.makers import STICKER
from tests.service import (
    APPID,
    OPENID,
    OTHER_OPENID,
    Service,
    WorldClock,
    card,
    column,
    event,
    message,
    of_answers,
    rows,
    running,
    text_reply,
)
from tests.waiting import eventually

COOLDOWN = {"cooldown_seconds": 3600}


async def content(
    service: Service, clock: WorldClock, text: str = "shop", *, openid: str = OPENID
) -> object:
    answer = await service.answer(message(clock, text, openid=openid))
    return answer.reply["Content"] if answer.reply else None


async def test_a_rule_with_a_cooldown_answers_each_follower_once_in_its_time(
    service: Service, clock: WorldClock
) -> None:
    await service.add_rule(text_reply("hello"), conditions=COOLDOWN)

    assert await content(service, clock) == "hello"
    clock.advance(timedelta(seconds=3599))
    assert await content(service, clock) is None
    assert await content(service, clock, openid=OTHER_OPENID) == "hello"
    clock.advance(timedelta(seconds=1))
    assert await content(service, clock) == "hello"


async def test_a_rule_in_its_cooldown_leaves_the_answer_to_the_next_one(
    service: Service, clock: WorldClock
) -> None:
    await service.add_rule(text_reply("first"), conditions=COOLDOWN, priority=200)
    await service.add_rule(text_reply("then"))

    assert [await content(service, clock) for _ in range(2)] == ["first", "then"]


async def test_a_cooldown_begins_with_an_answer_that_is_sent_not_with_one_that_fails(
    service: Service, clock: WorldClock
) -> None:
    await service.add_rule(
        text_reply("{1}"),
        trigger={"on": "text", "match": "regex", "keyword": "^q(.*)$"},
        conditions=COOLDOWN,
    )

    assert [await content(service, clock, text) for text in ("q", "qa", "qb")] == [None, "a", None]


async def test_two_messages_at_once_get_one_answer_of_a_rule_with_a_cooldown(
    service: Service, clock: WorldClock, connection: asyncpg.Connection
) -> None:
    await service.add_rule(text_reply("hello"), card(), conditions=COOLDOWN)

    answers = await asyncio.gather(*(service.answer(message(clock)) for _ in range(6)))

    assert len([answer for answer in answers if answer.reply]) == 1
    assert await column(connection, of_answers("SELECT count(*) FROM answers")) == [2]
    assert await column(connection, "SELECT count(*) FROM callbacks WHERE rule_id > 0") == [1]


async def test_of_two_messages_at_once_the_later_one_gets_what_comes_next(
    service: Service, clock: WorldClock, connection: asyncpg.Connection
) -> None:
    first = await service.add_rule(text_reply("first"), conditions=COOLDOWN, priority=300)
    then = await service.add_rule(text_reply("then"), conditions=COOLDOWN, priority=200)
    last = await service.add_rule(text_reply("last"), trigger={"on": "fallback"})

    answers = await asyncio.gather(*(service.answer(message(clock)) for _ in range(4)))

    given = sorted(str(answer.reply and answer.reply["Content"]) for answer in answers)
    assert given == ["first", "last", "last", "then"]
    assert sorted(await column(connection, "SELECT rule_id FROM callbacks")) == sorted(
        [first, then, last, last]
    )


async def test_two_processes_at_once_send_one_answer_of_a_rule_with_a_cooldown(
    service: Service, settings: Settings, clock: WorldClock, connection: asyncpg.Connection
) -> None:
    await service.add_rule(text_reply("hello"), card(), conditions=COOLDOWN)

    async with running(settings, clock) as other:
        async with locked(settings.database_url, "rule_firings"):
            asked = [
                asyncio.create_task(process.answer(message(clock))) for process in (service, other)
            ]
            await asyncio.sleep(0)
        answers = await asyncio.gather(*asked)

    assert len([answer for answer in answers if answer.reply]) == 1
    assert await column(connection, of_answers("SELECT count(*) FROM answers")) == [2]


async def test_a_push_that_loses_two_cooldowns_one_after_the_other_gets_the_third_answer(
    service: Service, clock: WorldClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = await service.add_rule(text_reply("first"), conditions=COOLDOWN, priority=300)
    second = await service.add_rule(text_reply("second"), conditions=COOLDOWN, priority=200)
    await service.add_rule(text_reply("third"))
    keep, lost = service.inbox.keep, iter((first, second))

    async def keep_late(record: Record) -> StoredResult:
        # The facts, read before, show nothing of the pushes that took these turns.
        for rule_id in lost:
            raise CooldownLost({rule_id})
        return await keep(record)

    monkeypatch.setattr(service.inbox, "keep", keep_late)

    assert await content(service, clock) == "third"


async def test_a_copy_of_a_push_gets_the_answer_of_the_first_in_spite_of_the_cooldown(
    service: Service, clock: WorldClock, connection: asyncpg.Connection
) -> None:
    await service.add_rule(text_reply("hello"), conditions=COOLDOWN)
    pushed = message(clock)

    copies = await asyncio.gather(*(service.answer(pushed) for _ in range(3)))
    late = await service.answer(pushed)

    assert [answer.reply["Content"] for answer in (*copies, late)] == ["hello"] * 4
    assert await column(connection, of_answers("SELECT count(*) FROM answers")) == [1]


async def test_only_who_has_just_followed_is_greeted_as_new(
    service: Service, clock: WorldClock
) -> None:
    young = {"follower": {"state": "following", "max_age_seconds": 60}}
    await service.add_rule(text_reply("welcome"), conditions=young, priority=200)
    await service.add_rule(text_reply("hello"))
    await service.push(event(clock, "subscribe"))

    assert await content(service, clock) == "welcome"
    clock.advance(timedelta(seconds=61))
    assert await content(service, clock) == "hello"


async def test_a_known_unionid_can_be_asked_for(
    service: Service, clock: WorldClock, connection: asyncpg.Connection
) -> None:
    await service.add_rule(text_reply("who?"), conditions={"unionid": "unknown"})
    await service.add_rule(text_reply("you"), conditions={"unionid": "known"})

    assert await content(service, clock) == "who?"
    await connection.execute("UPDATE openids SET unionid = 'u' WHERE openid = $1", OPENID)
    assert await content(service, clock) == "you"


async def test_without_facts_the_rules_that_need_none_answer(
    service: Service, clock: WorldClock, connection: asyncpg.Connection
) -> None:
    await service.add_rule(text_reply("once"), conditions=COOLDOWN, priority=200)
    await service.add_rule(text_reply("always"))
    await connection.execute("ALTER TABLE rule_firings RENAME TO away")

    assert await content(service, clock) == "always"


async def test_every_mode_lets_several_rules_answer_with_one_passive_reply(
    settings: Settings, clock: WorldClock, connection: asyncpg.Connection
) -> None:
    every = settings.model_copy(update={"rules_mode": "every", "rules_match_limit": 2})
    async with running(every, clock) as service:
        first = await service.add_rule(text_reply("one"), card(), priority=3)
        second = await service.add_rule(text_reply("two"), priority=2)
        await service.add_rule(text_reply("three"), priority=1)

        assert await content(service, clock) == "one"

    found = await rows(connection, of_answers("SELECT rule_id, via FROM answers ORDER BY id"))
    assert [(row["rule_id"], row["via"]) for row in found] == [
        (first, "passive"),
        (first, "customer_service"),
        (second, "customer_service"),
    ]


async def test_a_reference_follows_from_the_id_of_its_reply(
    service: Service, clock: WorldClock, connection: asyncpg.Connection
) -> None:
    await service.add_rule(card(pagepath="p?ref={ref}&at={account}"), text_reply("{ref}"))

    told = await content(service, clock)

    cards, texts = await rows(connection, of_answers("SELECT id, content FROM answers ORDER BY id"))
    assert (
        json.loads(cards["content"])["pagepath"] == f"p?ref={refs.of_reply(cards['id'])}&at={APPID}"
    )
    assert told == refs.of_reply(texts["id"])


async def test_a_page_that_grows_too_long_fails_with_its_reason(
    service: Service, clock: WorldClock, connection: asyncpg.Connection
) -> None:
    await service.add_rule(
        card(pagepath="p?q={1}"), trigger={"on": "text", "match": "regex", "keyword": "^(.+)$"}
    )

    await service.push(message(clock, "城" * 300))

    (row,) = await rows(connection, "SELECT status, errmsg FROM replies")
    assert row["status"] == "failed"
    assert "1024" in row["errmsg"]


async def test_an_unfollow_is_marked_with_its_rule_and_answered_with_nothing(
    service: Service, clock: WorldClock, connection: asyncpg.Connection
) -> None:
    rule_id = await service.add_rule(trigger={"on": "unsubscribe"})

    answer = await service.push(event(clock, "unsubscribe"))

    assert answer.content == b"success"
    assert await column(connection, "SELECT rule_id FROM callbacks") == [rule_id]


async def test_reloads_under_load_lose_no_message_and_mix_no_versions(
    service: Service, clock: WorldClock, connection: asyncpg.Connection
) -> None:
    both = (text_reply("0"), text_reply("0", via="customer_service"))
    rule_id = await service.add_rule(*both, conditions={"unionid": "unknown"})

    async def edit() -> None:
        for version in range(1, 15):
            said = str(version)
            await service.replace_rule(
                rule_id, text_reply(said), text_reply(said, via="customer_service")
            )

    editing = asyncio.create_task(edit())
    answers: list[Answer] = []
    while not editing.done():
        pushed = [message(clock, openid=f"o{len(answers) + n}") for n in range(5)]
        answers += await asyncio.gather(*(service.answer(document) for document in pushed))
    await editing

    assert all(answer.reply for answer in answers)
    assert await column(connection, "SELECT count(*) FROM callbacks") == [len(answers)]
    said = await rows(
        connection,
        of_answers("""SELECT count(DISTINCT content->>'content') AS versions, count(*) AS replies
        FROM answers GROUP BY callback_id"""),
    )
    assert {(row["versions"], row["replies"]) for row in said} == {(1, 2)}


async def test_a_rule_answers_once_in_its_cooldown_while_answers_go_to_the_spool(
    service: Service, settings: Settings, clock: WorldClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox, "FLUSH_SECONDS", 0.2)
    await service.add_rule(text_reply("hello"), conditions=COOLDOWN)

    async with locked(settings.database_url):
        first = await content(service, clock)
        clock.advance(timedelta(seconds=1))
        then = await content(service, clock)
        other = await content(service, clock, openid=OTHER_OPENID)

    assert service.inbox.spool_status().count == 3
    assert (first, then, other) == ("hello", None, "hello")


async def test_of_messages_at_once_one_gets_the_answer_while_answers_go_to_the_spool(
    service: Service, settings: Settings, clock: WorldClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox, "FLUSH_SECONDS", 0.2)
    await service.add_rule(text_reply("first"), conditions=COOLDOWN, priority=300)
    await service.add_rule(text_reply("then"), conditions=COOLDOWN, priority=200)
    await service.add_rule(text_reply("last"), trigger={"on": "fallback"})

    async with locked(settings.database_url):
        answers = await asyncio.gather(*(service.answer(message(clock)) for _ in range(4)))

    given = sorted(str(answer.reply and answer.reply["Content"]) for answer in answers)
    assert given == ["first", "last", "last", "then"]
    await eventually(drained(service.inbox))


async def test_services_that_know_nothing_of_each_other_answer_a_push_with_one_reference(
    service: Service,
    settings: Settings,
    clock: WorldClock,
    tmp_path: Path,
    connection: asyncpg.Connection,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(inbox, "FLUSH_SECONDS", 0.2)
    await service.add_rule(text_reply("{ref}"), text_reply("queued {ref}", via="customer_service"))
    pushed = message(clock)

    async with running(
        settings.model_copy(update={"data_dir": tmp_path / "other"}), clock
    ) as other:
        async with locked(settings.database_url):
            answers = await asyncio.gather(*(one.answer(pushed) for one in (service, other)))
        for one in (service, other):
            await eventually(drained(one.inbox))

    contents = {answer.reply["Content"] for answer in answers if answer.reply}
    stored = await rows(connection, of_answers("SELECT id, via FROM answers ORDER BY id"))
    assert len(answers) == 2
    assert contents == {refs.of_reply(stored[0]["id"])}
    assert [row["via"] for row in stored] == ["passive", "customer_service"]


@given(st.binary(min_size=16, max_size=16), st.integers(0, 253402300799), st.integers(0, 99))
def test_an_id_of_a_reply_follows_from_its_push_alone(key: bytes, at: int, position: int) -> None:
    one = reply_id(key, at, position)

    assert one == reply_id(key, at, position)
    assert (one.version, one.variant) == (7, RFC_4122)
    assert one not in {reply_id(key, at, position + 1), reply_id(key[::-1] + b"x", at, position)}
    assert reply_id(key, at, position) < reply_id(key, at, position + 1)


async def test_a_sticker_is_answered_by_its_own_rule_and_counted_apart(
    service: Service, clock: WorldClock, connection: asyncpg.Connection
) -> None:
    await service.add_rule(
        text_reply("keyword"), trigger={"on": "text", "match": "contains", "keyword": "消息"}
    )
    await service.add_rule(text_reply("sticker"), trigger={"on": "unsupported"})

    assert await content(service, clock, STICKER) == "sticker"
    assert await content(service, clock, "消息") == "keyword"
    assert await column(connection, "SELECT DISTINCT msgtype FROM callbacks") == ["text"]
    counted = (await service.look("/metrics")).text
    assert f'oa_bridge_callbacks_total{{appid="{APPID}",result="stored",type="unsupported"}} ' in (
        counted
    )
    assert 'oa_bridge_rule_matches_total{kind="unsupported"} ' in counted
