"""Queued replies reach the follower, or end with the reason stored."""

import asyncio
import json
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest import mock

import asyncpg
import pytest
from structlog.testing import capture_logs

from app import refs
from app.db.engine import Database
from app.replies import deliver as delivering
from app.replies import send_batches
from app.replies.errors import TryLater
from app.wechat.client import ApiClient
from app.worker import Jobs, make_jobs
from tests.replies.makers import deliver, fates, owed, statuses, written
from tests.service import (
    ACCOUNT,
    APPID,
    CARD_APPID,
    JPEG,
    OPENID,
    OTHER_OPENID,
    SEND,
    STABLE_TOKEN,
    THIRD_OPENID,
    UPLOAD,
    Service,
    WeChat,
    card,
    column,
    counted,
    event,
    jobs_of,
    message,
    rows,
    settings_for,
    text_reply,
)
from tests.waiting import eventually


def text(content: str = "hello") -> dict[str, object]:
    return text_reply(content, via="customer_service")


async def test_a_card_is_sent_with_everything_the_rule_says(
    service: Service, wechat: WeChat, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    callback = await owed(service, wechat, card("商城 ]]>", pagepath="pages/index?from=oa"))

    await deliver(jobs, callback)

    (line,) = wechat.sent()
    assert (line["openid"], line["msgtype"]) == (OPENID, "miniprogrampage")
    media_id = line["content"].pop("thumb_media_id")
    (reply_id,) = await column(connection, "SELECT id FROM replies")
    assert line["content"] == {
        "title": "商城 ]]>",
        "appid": CARD_APPID,
        "pagepath": f"pages/index?from=oa&ref={refs.of_reply(reply_id)}",
    }
    assert wechat.state.media.peek(media_id) is not None
    assert "商城" in line["raw"], "WeChat shows escapes as they are written"
    assert await rows(
        connection, "SELECT status, attempts, errcode, errmsg, sent_at FROM replies"
    ) == [
        {
            "status": "sent",
            "attempts": 1,
            "errcode": None,
            "errmsg": None,
            "sent_at": service.clock.now(),
        }
    ]


async def test_running_a_job_again_sends_nothing_again(
    service: Service, wechat: WeChat, jobs: Jobs
) -> None:
    callback = await owed(service, wechat, card())

    for _ in range(3):
        await deliver(jobs, callback)

    assert len(wechat.sent()) == 1


async def test_several_replies_of_one_rule_come_in_its_order(
    service: Service, wechat: WeChat, jobs: Jobs
) -> None:
    callback = await owed(
        service, wechat, text("one"), text_reply("passive"), card("two"), text("three")
    )

    await deliver(jobs, callback)

    assert [
        line["content"].get("content") or line["content"]["title"] for line in wechat.sent()
    ] == [
        "one",
        "two",
        "three",
    ]


async def test_one_that_must_wait_keeps_those_behind_it_waiting(
    service: Service, wechat: WeChat, jobs: Jobs
) -> None:
    callback = await owed(service, wechat, text("one"), text("two"))
    wechat.strike(SEND, errcode=-1, count=1)

    with pytest.raises(TryLater):
        await deliver(jobs, callback)
    before = len(wechat.sent())
    await deliver(jobs, callback)

    assert before == 0
    assert [line["content"]["content"] for line in wechat.sent()] == ["one", "two"]


async def test_one_that_failed_for_good_does_not_keep_the_others_back(
    service: Service, wechat: WeChat, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    callback = await owed(service, wechat, card(pagepath="pages/gone"), text("two"))
    wechat.strike(SEND, errcode=40165, count=1)

    await deliver(jobs, callback)

    assert await fates(connection) == [
        {"status": "failed", "errcode": 40165, "attempts": 1},
        {"status": "sent", "errcode": None, "attempts": 1},
    ]


async def test_a_card_whose_mini_program_is_refused_does_not_keep_the_others_back(
    service: Service, wechat: WeChat, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    callback = await owed(service, wechat, card(appid="wx00000000000000ee"), text("two"))

    with pytest.raises(TryLater):
        await deliver(jobs, callback)

    assert await fates(connection) == [
        {"status": "pending", "errcode": 40166, "attempts": 1},
        {"status": "sent", "errcode": None, "attempts": 1},
    ]


async def test_each_kind_of_message_is_taken_by_wechat(
    service: Service, wechat: WeChat, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    article = {"title": "a", "description": "b", "url": "https://e.com", "picurl": "https://e.com"}
    by_service = {"via": "customer_service"}
    callback = await owed(
        service,
        wechat,
        {"msgtype": "image", **by_service, "media": {"file": "shop.jpg"}},
        {"msgtype": "news", **by_service, "articles": [article]},
        {
            "msgtype": "music",
            **by_service,
            "title": "t",
            "description": "d",
            "musicurl": "https://e.com",
            "hqmusicurl": "https://e.com",
            "thumb": {"file": "shop.jpg"},
        },
        {"msgtype": "msgmenu", **by_service, "list": [{"id": "1", "content": "yes"}]},
        {"msgtype": "mpnewsarticle", **by_service, "article_id": "ARTICLE"},
    )

    await deliver(jobs, callback)

    assert await statuses(connection) == ["sent"] * 5
    assert [line["msgtype"] for line in wechat.sent()] == [
        "image",
        "news",
        "music",
        "msgmenu",
        "mpnewsarticle",
    ]


async def test_a_message_after_the_last_of_its_window_is_held_and_wechat_is_not_asked(
    service: Service, wechat: WeChat, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    callback = await owed(service, wechat, *(text(str(number)) for number in range(6)))

    await deliver(jobs, callback)

    assert await statuses(connection) == ["sent"] * 5 + ["held"]
    assert len(wechat.calls(SEND)) == 5


async def test_a_held_message_goes_out_after_the_followers_next_one(
    service: Service, wechat: WeChat, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    callback = await owed(service, wechat, *(text(str(number)) for number in range(6)))
    await deliver(jobs, callback)
    service.clock.advance(timedelta(minutes=1))

    wechat.open_window()
    await service.push(message(service.clock, "thanks"))
    await deliver(jobs, callback)

    assert await statuses(connection) == ["sent"] * 6
    assert [line["content"]["content"] for line in wechat.sent()][-1] == "5"


@pytest.mark.parametrize("errcode", [45015, 45047])
async def test_where_wechat_says_the_window_is_over_it_is_over(
    service: Service,
    wechat: WeChat,
    jobs: Jobs,
    connection: asyncpg.Connection,
    errcode: int,
) -> None:
    first = await owed(service, wechat, text("one"), text("two"))
    wechat.strike(SEND, errcode=errcode, count=1)

    await deliver(jobs, first)
    await jobs.sweep()
    await deliver(jobs, first)
    held = await fates(connection)
    calls = len(wechat.calls(SEND))
    service.clock.advance(timedelta(seconds=30))
    wechat.open_window()
    await service.push(message(service.clock, "again"))
    await deliver(jobs, first)

    assert held == [
        {"status": "held", "errcode": errcode, "attempts": 1},
        {"status": "held", "errcode": None, "attempts": 0},
    ]
    assert calls == 1
    assert await statuses(connection) == ["sent", "sent"]


@pytest.mark.parametrize("errcode", [48002, 43019])
async def test_who_receives_nothing_from_the_account_is_not_tried_every_minute(
    service: Service,
    wechat: WeChat,
    jobs: Jobs,
    connection: asyncpg.Connection,
    errcode: int,
) -> None:
    """Switched off by the follower, or blacklisted: the open window changes nothing about it."""
    callback = await owed(service, wechat, text())
    wechat.strike(SEND, errcode=errcode)

    await deliver(jobs, callback)
    for _ in range(5):
        service.clock.advance(timedelta(minutes=1))
        await jobs.sweep()
        await deliver(jobs, callback)

    assert await statuses(connection) == ["held"]
    assert len(wechat.calls(SEND)) == 1


async def test_a_closed_window_is_not_tried(
    service: Service, wechat: WeChat, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    callback = await owed(service, wechat, card())
    await connection.execute("UPDATE send_windows SET sends_left = 0")

    await deliver(jobs, callback)

    assert await statuses(connection) == ["held"]
    assert wechat.state.ledger.read() == []


async def test_a_menu_window_of_a_minute_ends_the_reply_it_opened(
    service: Service, wechat: WeChat, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    await service.add_rule(card(), trigger={"on": "click", "key": "SHOP"})
    await service.push(event(service.clock, "CLICK", EventKey="SHOP"))
    (callback,) = await column(connection, "SELECT id FROM callbacks")
    service.clock.advance(timedelta(seconds=56))

    await deliver(jobs, callback)

    assert await statuses(connection) == ["expired"]
    assert wechat.state.ledger.read() == []


async def test_the_window_that_ends_first_is_charged_first(
    service: Service, wechat: WeChat, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    callback = await owed(service, wechat, text())
    await service.push(event(service.clock, "CLICK", EventKey="x"))

    await deliver(jobs, callback)

    assert await rows(
        connection, "SELECT trigger, sends_left FROM send_windows ORDER BY trigger"
    ) == [{"trigger": "menu", "sends_left": 2}, {"trigger": "message", "sends_left": 5}]


async def test_a_busy_wechat_is_tried_again_after_growing_pauses(
    service: Service, wechat: WeChat, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    callback = await owed(service, wechat, text())
    wechat.strike(SEND, errcode=-1, count=6)
    pauses = []
    for _ in range(6):
        with pytest.raises(TryLater) as later:
            await deliver(jobs, callback)
        pauses.append(later.value.delay)
        service.clock.advance(later.value.delay)
    between = await fates(connection)

    await deliver(jobs, callback)

    assert pauses == sorted(pauses)
    assert timedelta(seconds=1) <= pauses[0] <= timedelta(seconds=1.5)
    assert timedelta(seconds=900) <= pauses[-1] <= timedelta(seconds=1350)
    assert between == [{"status": "pending", "errcode": -1, "attempts": 6}]
    assert await fates(connection) == [{"status": "sent", "errcode": None, "attempts": 7}]


async def test_the_end_of_the_window_ends_the_trying(
    service: Service, wechat: WeChat, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    callback = await owed(service, wechat, text())
    wechat.strike(SEND, errcode=-1)
    with pytest.raises(TryLater):
        await deliver(jobs, callback)
    service.clock.advance(timedelta(hours=48))

    await deliver(jobs, callback)

    assert await fates(connection) == [{"status": "expired", "errcode": -1, "attempts": 1}]


@pytest.mark.parametrize(
    "effect", [{"status": 502}, {"errcode": 44990}, {"errcode": 268487001}], ids=str
)
async def test_a_refusal_for_now_is_tried_again(
    service: Service,
    wechat: WeChat,
    jobs: Jobs,
    connection: asyncpg.Connection,
    effect: dict[str, int],
) -> None:
    callback = await owed(service, wechat, text())
    wechat.strike(SEND, count=1, **effect)

    with pytest.raises(TryLater):
        await deliver(jobs, callback)
    await deliver(jobs, callback)

    assert await statuses(connection) == ["sent"]


async def test_the_quota_of_a_day_is_waited_out_until_midnight_in_shanghai(
    service: Service, wechat: WeChat, jobs: Jobs
) -> None:
    callback = await owed(service, wechat, text())
    wechat.strike(SEND, errcode=45009, count=1)

    with pytest.raises(TryLater) as later:
        await deliver(jobs, callback)

    at = service.clock.now() + later.value.delay + timedelta(hours=8)
    assert at.hour == 0
    assert at.minute <= 10


async def test_a_message_that_may_have_arrived_is_not_sent_twice(
    service: Service, wechat: WeChat, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    callback = await owed(service, wechat, text())
    wechat.strike(SEND, drop="after", count=1)

    with capture_logs() as logged:
        for _ in range(3):
            await deliver(jobs, callback)

    assert len(wechat.sent()) == 1
    ((status, errmsg),) = [
        tuple(row.values()) for row in await rows(connection, "SELECT status, errmsg FROM replies")
    ]
    assert (status, errmsg.startswith("outcome unknown")) == ("failed", True)
    assert "replies.not_sent" in [line["event"] for line in logged]


async def test_an_answer_that_comes_too_late_is_an_unknown_outcome(
    service: Service, wechat: WeChat, database: Database, connection: asyncpg.Connection
) -> None:
    settings = service.settings.model_copy(update={"wechat_api_timeout_seconds": 0.2})
    callback = await owed(service, wechat, text())
    jobs = jobs_of(settings, database, wechat)
    wechat.strike(SEND, latency_seconds=5)

    await deliver(jobs, callback)

    assert await statuses(connection) == ["failed"]


async def test_a_refused_connection_is_tried_again(
    service: Service, wechat: WeChat, database: Database, connection: asyncpg.Connection
) -> None:
    callback = await owed(service, wechat, text())
    away = service.settings.model_copy(update={"wechat_api_base_url": "http://127.0.0.1:1"})
    async with ApiClient() as client:
        with pytest.raises(TryLater):
            await deliver(make_jobs(away, database, service.clock, client), callback)
    assert await statuses(connection) == ["pending"]

    await deliver(jobs_of(service.settings, database, wechat), callback)

    assert await statuses(connection) == ["sent"]


async def test_a_wrong_appsecret_costs_nothing_once_it_is_corrected(
    service: Service,
    wechat: WeChat,
    database: Database,
    connection: asyncpg.Connection,
    tmp_path: Path,
) -> None:
    callback = await owed(service, wechat, text())
    wrong = settings_for(
        service.settings.database_url, tmp_path, wechat_appsecret="demo-app-secret-XXXXXXXXXXXXXXXX"
    )
    mistaken = jobs_of(wrong, database, wechat)

    for _ in range(5):
        with pytest.raises(TryLater):
            await deliver(mistaken, callback)
    waiting = await statuses(connection)
    await mistaken.tokens.problems.store()
    started = jobs_of(service.settings, database, wechat)
    await started.begin()
    await deliver(started, callback)

    assert waiting == ["pending"]
    assert await statuses(connection) == ["sent"]
    assert len(wechat.calls(STABLE_TOKEN)) == 2, "a refusal is remembered for a minute"


async def test_an_account_without_an_appsecret_keeps_its_replies_until_there_is_one(
    service: Service,
    wechat: WeChat,
    database: Database,
    connection: asyncpg.Connection,
    tmp_path: Path,
) -> None:
    callback = await owed(service, wechat, text())
    without = settings_for(service.settings.database_url, tmp_path, wechat_appsecret=None)

    with pytest.raises(TryLater):
        await deliver(jobs_of(without, database, wechat), callback)

    assert await statuses(connection) == ["pending"]
    assert wechat.calls(STABLE_TOKEN) == []


async def test_a_card_with_a_page_that_does_not_exist_ends_with_the_reason(
    service: Service, wechat: WeChat, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    callback = await owed(service, wechat, card())
    wechat.strike(SEND, errcode=40165)
    before = counted("sends_total", msgtype="miniprogrampage", outcome="failed")

    await deliver(jobs, callback)

    assert await rows(connection, "SELECT status, errcode, errmsg FROM replies") == [
        {"status": "failed", "errcode": 40165, "errmsg": "invalid weapp pagepath"}
    ]
    assert counted("sends_total", msgtype="miniprogrampage", outcome="failed") == before + 1


@pytest.mark.parametrize("errcode", [43004, 50005])
async def test_who_does_not_follow_is_skipped(
    service: Service, wechat: WeChat, jobs: Jobs, connection: asyncpg.Connection, errcode: int
) -> None:
    callback = await owed(service, wechat, text())
    wechat.strike(SEND, errcode=errcode, count=1)

    await deliver(jobs, callback)

    assert await statuses(connection) == ["skipped"]


async def test_a_missing_picture_ends_the_card_with_the_reason(
    service: Service, wechat: WeChat, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    """It was there when the rule was saved, and is gone when the card is sent."""
    picture = jobs.settings.media_path / "lost.jpg"
    picture.write_bytes(JPEG)
    callback = await owed(service, wechat, card(thumb={"file": "lost.jpg"}), text())
    picture.unlink()

    await deliver(jobs, callback)

    assert await statuses(connection) == ["failed", "sent"]
    (errmsg, _) = await column(connection, "SELECT errmsg FROM replies ORDER BY id")
    assert "lost.jpg" in errmsg


async def test_a_worker_that_died_while_sending_leaves_the_reply_to_the_next(
    service: Service, wechat: WeChat, jobs: Jobs, database: Database, connection: asyncpg.Connection
) -> None:
    callback = await owed(service, wechat, text())
    wechat.strike(STABLE_TOKEN, latency_seconds=60, count=1)
    dying = asyncio.create_task(deliver(jobs, callback))
    await eventually(wechat.has_struck)
    dying.cancel()
    await asyncio.gather(dying, return_exceptions=True)
    left = await statuses(connection)

    await deliver(jobs_of(service.settings, database, wechat), callback)

    assert left == ["sending"]
    assert await statuses(connection) == ["sent"]
    assert len(wechat.sent()) == 1


async def test_a_reply_that_cannot_be_read_any_more_fails_with_that_reason(
    service: Service, wechat: WeChat, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    callback = await owed(service, wechat, text())
    await connection.execute('UPDATE replies SET content = \'{"msgtype": "hologram"}\'')

    await deliver(jobs, callback)

    assert await statuses(connection) == ["failed"]


async def test_a_follower_who_left_meanwhile_gets_nothing(
    service: Service, wechat: WeChat, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    callback = await owed(service, wechat, card())
    service.clock.advance(timedelta(seconds=1))
    await service.push(event(service.clock, "unsubscribe"))

    await deliver(jobs, callback)

    assert await statuses(connection) == ["skipped"]
    assert wechat.state.ledger.read() == []


async def test_cards_for_many_followers_at_once_share_one_token_and_one_upload(
    service: Service, wechat: WeChat, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    await service.add_rule(card())
    callbacks = [
        await written(service, wechat, openid=openid)
        for openid in (OPENID, OTHER_OPENID, THIRD_OPENID)
    ]

    await asyncio.gather(*(deliver(jobs, callback) for callback in callbacks))

    assert await statuses(connection) == ["sent"] * 3
    assert (len(wechat.calls(STABLE_TOKEN)), len(wechat.calls(UPLOAD))) == (1, 1)


async def test_no_log_line_of_a_failed_send_holds_the_text_or_a_credential(
    service: Service, wechat: WeChat, jobs: Jobs
) -> None:
    callback = await owed(service, wechat, text("my secret words"))
    wechat.strike(SEND, errcode=40003, count=1)

    with capture_logs() as logged:
        await deliver(jobs, callback)

    (token,) = wechat.state.tokens[APPID].issued
    assert "replies.not_sent" in [line["event"] for line in logged]
    assert [
        secret
        for secret in ("my secret words", token, ACCOUNT.secret, OPENID)
        if secret in json.dumps(logged, default=str)
    ] == []


class _LostConnection(ConnectionError):
    """The database ended the connection."""


async def test_a_reply_whose_result_is_not_recorded_is_marked_and_not_sent_again(
    service: Service,
    wechat: WeChat,
    jobs: Jobs,
    connection: asyncpg.Connection,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    callback = await owed(service, wechat, text())
    failing = mock.AsyncMock(side_effect=ZeroDivisionError)
    with monkeypatch.context() as broken:
        broken.setattr(send_batches, "mark_sent", failing)
        for _ in range(3):
            with pytest.raises(ZeroDivisionError):
                await deliver(jobs, callback)
    left = await statuses(connection)

    await deliver(jobs, callback)

    assert left == ["sending"]
    assert await statuses(connection) == ["sent"]
    assert len(wechat.sent()) == 1


async def test_a_result_is_recorded_as_soon_as_the_database_takes_it(
    service: Service,
    wechat: WeChat,
    jobs: Jobs,
    connection: asyncpg.Connection,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    callback = await owed(service, wechat, text())
    failing = mock.AsyncMock(side_effect=[_LostConnection, TimeoutError, mock.DEFAULT])
    failing.return_value = None
    real = send_batches.mark_sent

    async def mark_sent(*arguments: Any) -> Sequence[bool]:  # noqa: ANN401 - passed on
        await failing()
        return await real(*arguments)

    monkeypatch.setattr(send_batches, "mark_sent", mark_sent)

    await deliver(jobs, callback)

    assert failing.await_count == 3
    assert await statuses(connection) == ["sent"]
    assert len(wechat.sent()) == 1


async def test_a_result_is_recorded_however_long_the_database_was_away(
    service: Service,
    wechat: WeChat,
    jobs: Jobs,
    connection: asyncpg.Connection,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    callback = await owed(service, wechat, text())
    loop = asyncio.get_running_loop()
    time, real = loop.time, send_batches.mark_sent
    away = iter((3600.0, 7200.0))

    async def mark_sent(*arguments: Any) -> Sequence[bool]:  # noqa: ANN401 - passed on
        later = next(away, None)
        if later is None:
            return await real(*arguments)
        monkeypatch.setattr(loop, "time", lambda: time() + later)
        raise _LostConnection

    monkeypatch.setattr(send_batches, "mark_sent", mark_sent)

    await deliver(jobs, callback)

    assert await statuses(connection) == ["sent"]
    assert len(wechat.sent()) == 1


async def test_a_worker_that_was_cut_off_may_record_before_another_sends_again(
    service: Service,
    wechat: WeChat,
    jobs: Jobs,
    database: Database,
    connection: asyncpg.Connection,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    callback = await owed(service, wechat, text())
    failing = mock.AsyncMock(side_effect=_LostConnection)
    with monkeypatch.context() as broken:
        broken.setattr(send_batches, "mark_sent", failing)
        cut_off = asyncio.create_task(deliver(jobs, callback))
        await eventually(lambda: asyncio.sleep(0, failing.await_count))
    other = asyncio.create_task(deliver(jobs_of(service.settings, database, wechat), callback))

    await asyncio.gather(cut_off, other)

    assert await statuses(connection) == ["sent"]
    assert len(wechat.sent()) == 1


async def test_two_jobs_of_one_process_do_not_send_a_reply_twice(
    service: Service, wechat: WeChat, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    callback = await owed(service, wechat, text())
    wechat.strike(SEND, latency_seconds=1, count=1)
    first = asyncio.create_task(deliver(jobs, callback))
    await eventually(wechat.has_struck)

    with pytest.raises(TryLater):
        await deliver(jobs, callback)
    await first

    assert await statuses(connection) == ["sent"]
    assert len(wechat.sent()) == 1


async def test_a_reply_that_was_being_sent_when_its_window_ended_is_uncertain_and_never_expired(
    service: Service, jobs: Jobs, wechat: WeChat, connection: asyncpg.Connection
) -> None:
    callback = await owed(service, wechat, text())
    await connection.execute("UPDATE replies SET status = 'sending', attempts = 1")
    service.clock.advance(timedelta(hours=49))
    await jobs.sweep()
    await deliver(jobs, callback)

    assert await rows(connection, "SELECT status, errcode, errmsg FROM replies") == [
        {
            "status": "failed",
            "errcode": None,
            "errmsg": "outcome unknown: the worker that was sending recorded no result",
        }
    ]
    assert wechat.sent() == []


async def test_a_database_that_is_away_before_a_card_is_sent_leaves_it_pending(
    service: Service,
    wechat: WeChat,
    jobs: Jobs,
    connection: asyncpg.Connection,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    callback = await owed(service, wechat, card())
    away = mock.AsyncMock(side_effect=_LostConnection)
    with monkeypatch.context() as broken:
        broken.setattr("app.wechat_client.media.Uploads.media_id", away)
        with pytest.raises(TryLater) as later:
            await deliver(jobs, callback)
    left = await rows(connection, "SELECT status, errmsg FROM replies")

    await deliver(jobs, callback)

    assert later.value.delay <= timedelta(seconds=4)
    assert left == [{"status": "pending", "errmsg": delivering.DATABASE_AWAY}]
    assert await statuses(connection) == ["sent"]
    assert len(wechat.sent()) == 1


async def test_a_statement_that_hangs_is_given_up_in_time(
    service: Service,
    wechat: WeChat,
    jobs: Jobs,
    connection: asyncpg.Connection,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    callback = await owed(service, wechat, text())
    monkeypatch.setattr("app.db.brief_connection.BRIEF_SECONDS", 0.5)
    async with connection.transaction():
        await connection.execute("LOCK TABLE replies IN ACCESS EXCLUSIVE MODE")
        began = asyncio.get_running_loop().time()
        with pytest.raises(TimeoutError):
            await deliver(jobs, callback)
        took = asyncio.get_running_loop().time() - began

    await deliver(jobs, callback)

    assert took < 5
    assert await statuses(connection) == ["sent"]


async def test_a_claim_whose_commit_was_not_confirmed_is_made_again_at_once(
    service: Service,
    wechat: WeChat,
    jobs: Jobs,
    connection: asyncpg.Connection,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    callback = await owed(service, wechat, text())
    real = send_batches.claim

    async def claim(*arguments: Any, **more: Any) -> None:  # noqa: ANN401 - passed on
        await real(*arguments, **more)
        raise _LostConnection

    with monkeypatch.context() as broken:
        broken.setattr(send_batches, "claim", claim)
        with pytest.raises(_LostConnection):
            await deliver(jobs, callback)
    left = await statuses(connection)
    began = asyncio.get_running_loop().time()

    await deliver(jobs, callback)

    assert left == ["sending"]
    assert asyncio.get_running_loop().time() - began < 5
    assert await statuses(connection) == ["sent"]
