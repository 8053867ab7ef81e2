"""Messages and replies: what is masked, what filters find, the way of one message, retries."""

import asyncio
import re
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from app.access.roles import Role
from app.callback import message_store
from app.console.message_pages.list_page import PAGE_ROWS
from app.replies import admin_store, bulk_retry
from app.replies.models import Reply
from app.worker import Jobs
from tests.console.made_messages import (
    a_failed_message,
    fail_replies,
    newest_message,
    start_retry,
)
from tests.console.operator import Operator, signed_in
from tests.service import OPENID, Service, card, column, message, rows, text_reply


async def audited(connection: asyncpg.Connection, action: str) -> list[tuple[str, str | None]]:
    found = await rows(
        connection,
        "SELECT subject_kind, after FROM audit_log WHERE action = $1 ORDER BY id",
        action,
    )
    return [(row["subject_kind"], row["after"]) for row in found]


async def statuses(connection: asyncpg.Connection) -> list[str]:
    query = "SELECT status FROM replies WHERE via = 'customer_service' ORDER BY id"
    return list(await column(connection, query))


async def three_failed(service: Service) -> None:
    await service.add_rule(card())
    for _ in range(3):
        await service.push(message(service.clock))
    await fail_replies(service)


async def test_texts_and_openids_are_masked_until_they_are_shown_and_that_is_written_down(
    service: Service, viewer: Operator, connection: asyncpg.Connection
) -> None:
    await service.push(message(service.clock, "<b>my secret"))
    id_ = await newest_message(service)
    before = [(await viewer.get(path)).text for path in ("/messages", f"/messages/{id_}")]
    shown = await viewer.post(f"/messages/{id_}/text")
    whose = await viewer.post(f"/messages/{id_}/openid")
    everything = await viewer.post("/messages/shown")

    assert not any("my secret" in page or OPENID in page for page in before)
    assert "&lt;b&gt;my secret" in shown.text
    assert OPENID in whose.text
    assert "my secret" in everything.text
    assert OPENID not in everything.text
    assert await audited(connection, "message.shown") == [
        ("message", "text"),
        ("message", "openid"),
        ("messages", None),
    ]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", 3),
        ("text=NOTHING", 1),
        ("text=%25", 1),
        ("text=_", 0),
        ("text=a%00", 1),
        ("fate=unanswered", 2),
        ("fate=failed", 1),
        ("fate=passive", 1),
        ("fate=sent", 0),
        ("fate=uncertain", 0),
        ("kind=text", 3),
        ("kind=subscribe", 0),
        ("rule=999", 0),
        ("since=2020-01-01T00:00", 3),
        ("until=2020-01-01T00:00", 0),
        ("since=2999-01-01T00:00", 0),
        ("appid=wx0000000000000000", 0),
    ],
)
async def test_filters_find_what_fits(
    service: Service, viewer: Operator, query: str, found: int
) -> None:
    await service.add_rule(text_reply(), card())
    await service.push(message(service.clock))
    await service.push(message(service.clock, "nothing a"))
    await service.push(message(service.clock, "100%"))
    await fail_replies(service)

    page = await viewer.get_part(f"/messages?{query}")

    assert page.status_code == 200, page.text
    assert page.text.count('scope="row"') == found


async def test_pages_lead_on_by_cursors_and_no_message_is_missed(
    service: Service, viewer: Operator
) -> None:
    for number in range(PAGE_ROWS + 1):
        await service.push(message(service.clock, f"text {number}"))
    first = await viewer.get_part("/messages?kind=text")
    older = re.search(r'rel="next" href="/console([^"]+)"', first.text)
    assert older is not None
    second = await viewer.get_part(older[1].replace("&amp;", "&"))

    assert first.text.count('scope="row"') == PAGE_ROWS
    assert second.text.count('scope="row"') == 1


async def test_a_search_says_where_it_ends_and_goes_on_from_there(
    service: Service, viewer: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(message_store, "MAX_TEXTS_SEARCHED", 2)
    for text in ("rare", "a", "b"):
        await service.push(message(service.clock, text))
    first = await viewer.get_part("/messages?text=rare")
    older = re.search(r'rel="next" href="/console([^"]+)"', first.text)
    assert older is not None
    second = await viewer.get_part(older[1].replace("&amp;", "&"))

    assert "Only the newest 2 messages" in first.text
    assert first.text.count('scope="row"') == 0
    assert second.text.count('scope="row"') == 1


@pytest.mark.parametrize(("most", "ends_early"), [(2_000, False), (0, True)])
async def test_a_fate_that_few_replies_have_is_found_however_old_it_is(
    service: Service,
    viewer: Operator,
    monkeypatch: pytest.MonkeyPatch,
    most: int,
    *,
    ends_early: bool,
) -> None:
    await a_failed_message(service)
    for text in ("a", "b", "c"):
        await service.push(message(service.clock, text))
    monkeypatch.setattr(message_store, "MAX_SEARCHED", 2)
    monkeypatch.setattr(message_store, "MAX_RARE", most)
    page = (await viewer.get_part("/messages?fate=failed")).text

    assert ("Only the newest 2 messages" in page) == ends_early
    assert page.count('scope="row"') == (0 if ends_early else 1)


async def test_the_way_of_a_message_names_the_rule_as_it_was_and_what_to_do(
    service: Service, owner: Operator, connection: asyncpg.Connection
) -> None:
    path = await a_failed_message(service)
    # The clock of the tests stands still, and that of the database does not.
    await connection.execute(
        "UPDATE rule_revisions SET changed_at = changed_at - interval '1 hour'"
    )
    rule_id = (await service.read("rules"))["items"][0]["id"]
    rule = await service.read(f"rules/{rule_id}")
    for name in ("id", "revision", "created_at", "updated_at"):
        del rule[name]
    rule["trigger"]["keyword"] = "another word"
    answer = await service.api("PUT", f"rules/{rule_id}", json=rule | {"name": "Renamed"})
    assert answer.status_code == 200, answer.text

    page = (await owner.get(path)).text

    assert "Renamed" not in page
    assert "revision 1" in page
    assert "changed since" in page
    assert "It fits the message" in page
    assert "40166" in page
    assert "What to do:" in page
    assert "6501f2a3-1" in page


async def test_one_reply_is_sent_again_once(
    service: Service, owner: Operator, connection: asyncpg.Connection
) -> None:
    path = await a_failed_message(service)
    query = "SELECT id FROM replies WHERE via = 'customer_service'"
    reply_id = (await column(connection, query))[0]
    answers = [await owner.post(f"{path}/replies/{reply_id}/retry") for _ in range(2)]
    pages = [await owner.http.get(answer.headers["location"]) for answer in answers]

    assert [answer.status_code for answer in answers] == [303, 303]
    assert "The reply is sent again." in pages[0].text
    assert "be sent again:" in pages[1].text
    assert await statuses(connection) == ["pending"]
    assert await audited(connection, "reply.retried") == [("reply", "pending")]


async def test_a_viewer_sees_why_nothing_can_be_sent_again(
    service: Service, viewer: Operator
) -> None:
    page = (await viewer.get(await a_failed_message(service))).text

    assert "It takes the role Editor." in page
    assert "/retry" not in page


async def test_a_reply_of_another_message_is_not_found_below_this_one(
    service: Service, owner: Operator, connection: asyncpg.Connection
) -> None:
    await a_failed_message(service)
    reply_id = (await column(connection, "SELECT id FROM replies WHERE status = 'failed'"))[0]
    for action in ("retry", "text"):
        answer = await owner.post(f"/messages/{uuid7()}/replies/{reply_id}/{action}")
        assert answer.status_code == 404


async def test_many_are_counted_and_then_sent_again_each_once(
    service: Service, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    await three_failed(service)
    async with signed_in(service, Role.EDITOR) as editor:
        asked = await editor.get("/messages/retries/new", fate="failed")
        form = {"fate": "failed", "retry_id": str(uuid7())}
        starts = [await editor.post("/messages/retries", form) for _ in range(2)]
        running = await editor.get(f"/messages/retries/{form['retry_id']}")
        await jobs.retry({"retry_id": form["retry_id"]})
        await fail_replies(service)
        await jobs.retry({"retry_id": form["retry_id"]})
        ended = await editor.get(f"/messages/retries/{form['retry_id']}")
        part = await editor.get_part(f"/messages/retries/{form['retry_id']}/progress")

    assert "Send 3 replies again" in asked.text
    assert {start.headers["location"] for start in starts} == {
        f"/console/messages/retries/{form['retry_id']}"
    }
    assert 'hx-trigger="every 1s"' in running.text
    assert 'hx-trigger="every 1s"' not in ended.text
    assert part.headers["hx-refresh"] == "true"
    # The second run of the job found nothing left, though they had failed again meanwhile.
    assert await statuses(connection) == ["failed"] * 3
    assert await column(connection, "SELECT result FROM reply_retry_items") == ["queued"] * 3
    assert await column(connection, "SELECT count FROM audit_log WHERE count IS NOT NULL") == [3]


async def test_a_retry_goes_on_where_a_worker_was_killed(
    service: Service,
    jobs: Jobs,
    connection: asyncpg.Connection,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await three_failed(service)
    retry_id = await start_retry(service)
    usual, calls = admin_store.queue_again, 0

    async def killed(session: AsyncSession, reply: Reply, *, in_bulk: bool) -> None:
        nonlocal calls
        calls += 1
        await usual(session, reply, in_bulk=in_bulk)
        if calls == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(bulk_retry, "queue_again", killed)
    with pytest.raises(KeyboardInterrupt):
        await jobs.retry({"retry_id": str(retry_id)})
    # The second reply was queued in a transaction that did not end.
    assert sorted(await statuses(connection)) == ["failed", "failed", "pending"]
    await asyncio.gather(*(jobs.retry({"retry_id": str(retry_id)}) for _ in range(2)))

    assert await statuses(connection) == ["pending"] * 3
    assert calls == 4
    assert await column(connection, "SELECT ended_at IS NOT NULL FROM reply_retries") == [True]


async def test_what_may_have_arrived_is_left_out_unless_it_is_asked_for(
    service: Service, owner: Operator
) -> None:
    await service.add_rule(card())
    await service.push(message(service.clock))
    await fail_replies(service, "outcome unknown: timeout")

    usual = await owner.get("/messages/retries/new")
    asked = await owner.get("/messages/retries/new", fate="uncertain")

    assert "No reply can be sent again." in usual.text
    assert "Send 1 reply again" in asked.text


async def test_what_was_sent_meanwhile_is_left_alone(
    service: Service, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    await three_failed(service)
    retry_id = await start_retry(service)
    await connection.execute("UPDATE replies SET status = 'sent' WHERE position = 0")
    await jobs.retry({"retry_id": str(retry_id)})

    assert await statuses(connection) == ["sent"] * 3
    assert await column(connection, "SELECT result FROM reply_retry_items") == ["refused"] * 3


async def test_words_of_several_people_come_first_and_those_of_one_are_masked(
    service: Service, viewer: Operator
) -> None:
    await service.add_rule(text_reply())
    await service.add_rule(text_reply(), name="All", trigger={"on": "fallback"})
    for openid in ("oFirst", "oSecond"):
        await service.push(message(service.clock, " PRICE ", openid=openid))
    await service.push(message(service.clock, "my own words"))
    await service.push(message(service.clock, "shop"))

    page = (await viewer.get("/messages/words")).text
    id_ = UUID(re.findall(r"/messages/words/([0-9a-f-]{36})/text", page)[0])
    shown = await viewer.post(f"/messages/words/{id_}/text")

    assert "/console/rules/new?keyword=price" in page
    assert "A rule answers it now" not in page
    assert "my own words" not in page
    assert ">shop<" not in page
    assert "my own words" in shown.text


async def test_a_word_that_a_rule_answers_by_now_names_the_rule(
    service: Service, viewer: Operator
) -> None:
    for openid in ("oFirst", "oSecond"):
        for word in ("Price", "Hours"):
            await service.push(message(service.clock, word, openid=openid))
    await service.add_rule(
        text_reply(), name="<Prices>", trigger={"on": "text", "match": "any", "keywords": ["price"]}
    )
    await service.add_rule(
        text_reply(),
        name="Only known people",
        trigger={"on": "text", "match": "any", "keywords": ["hours"]},
        conditions={"cooldown_seconds": 60},
    )
    await service.add_rule(text_reply(), name="All", trigger={"on": "fallback"})

    page = (await viewer.get("/messages/words")).text

    assert re.findall(r'A rule answers it now: <a href="/console/rules/1">(.*?)</a>', page) == [
        '<bdi class="typed ">&lt;Prices&gt;</bdi>'
    ]
    assert page.count("A rule answers it now") == 1
    assert "/console/rules/new?keyword=price" not in page
    assert "/console/rules/new?keyword=hours" in page
