"""What one callback leaves in the tables, through the endpoint."""

import asyncio
import json
import string
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import asyncpg
import pytest

from app.callback.record import StoredResult
from app.replies.jobs import DELIVER
from app.unionid_resolution.jobs import RESOLVE
from tests.callback.makers import drained, record, running_inbox
from tests.service import (
    ACCOUNT,
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
    of_answers,
    rows,
    running,
    settings_for,
    text_reply,
)
from tests.waiting import eventually

# Random, since Postgres compresses index entries; the same in each process that runs tests.
HUGE = "".join(Random(2704).choices(string.ascii_letters, k=6_000))  # noqa: S311 - no secret
STATUSES = "SELECT status FROM replies WHERE via = 'customer_service' ORDER BY id"


async def jobs_named(connection: asyncpg.Connection, name: str) -> int:
    (number,) = await column(
        connection, "SELECT count(*)::int FROM pgqueuer WHERE entrypoint = $1", name
    )
    found: int = number
    return found


async def windows(connection: asyncpg.Connection, clock: WorldClock) -> list[Json]:
    """Every window: its trigger, how long it lasts from now, and how many sends are left."""
    found = await rows(
        connection, "SELECT trigger, expires_at, sends_left FROM send_windows ORDER BY trigger"
    )
    return [
        {
            "trigger": row["trigger"],
            "seconds": (row["expires_at"] - clock.now()).total_seconds(),
            "left": row["sends_left"],
        }
        for row in found
    ]


async def test_everything_of_a_message_is_there_when_it_is_answered(
    service: Service, connection: asyncpg.Connection, clock: WorldClock
) -> None:
    rule_id = await service.add_rule(card(), text_reply("hello"))

    await service.push(message(clock, MsgId=7318239561234567890))

    (kept,) = await rows(connection, "SELECT * FROM callbacks")
    assert (kept["appid"], kept["openid"], kept["msgtype"]) == (APPID, OPENID, "text")
    assert (kept["occurred_at"], kept["received_at"]) == (clock.now(), clock.now())
    assert (kept["rule_id"], len(kept["dedupe_key"])) == (rule_id, 20)
    assert '"MsgId": "7318239561234567890"' in kept["payload"]
    replies = await rows(
        connection,
        of_answers("SELECT callback_id, via, status, sent_at FROM answers ORDER BY id"),
    )
    assert [
        (reply["callback_id"], reply["via"], reply["status"], reply["sent_at"]) for reply in replies
    ] == [
        (kept["id"], "customer_service", "pending", None),
        (kept["id"], "passive", "sent", clock.now()),
    ]
    assert await jobs_named(connection, DELIVER) == 1
    assert await jobs_named(connection, RESOLVE) == 1


async def test_a_rule_without_queued_replies_asks_for_no_job(
    service: Service, connection: asyncpg.Connection, clock: WorldClock
) -> None:
    await service.add_rule(text_reply("hello"))

    await service.push(message(clock))

    assert await jobs_named(connection, DELIVER) == 0


async def test_a_duplicate_gets_the_first_reply_after_the_rule_has_changed(
    service: Service, connection: asyncpg.Connection, clock: WorldClock
) -> None:
    rule_id = await service.add_rule(text_reply("first"), card())
    document = message(clock)

    first = await service.answer(document)
    await service.replace_rule(rule_id, text_reply("second"), card(), card())
    clock.advance(timedelta(seconds=5))
    again = await service.answer(document)

    assert [first.reply["Content"], again.reply["Content"]] == ["first", "first"]
    assert await column(connection, "SELECT count(*) FROM callbacks") == [1]
    assert await column(connection, STATUSES) == ["pending"]
    assert await jobs_named(connection, DELIVER) == 1


async def test_a_duplicate_of_an_unanswered_one_is_unanswered_too(
    service: Service, clock: WorldClock
) -> None:
    document = message(clock)

    first = await service.push(document)
    await service.add_rule(text_reply("late"))

    assert (first.content, (await service.push(document)).content) == (b"success", b"success")


async def test_copies_of_an_event_have_one_effect_and_a_later_one_its_own(
    service: Service, connection: asyncpg.Connection, clock: WorldClock
) -> None:
    tapped = event(clock, "CLICK", EventKey="SHOP")
    await asyncio.gather(*(service.push(tapped) for _ in range(3)))
    clock.advance(timedelta(seconds=1))
    await service.push(event(clock, "CLICK", EventKey="SHOP"))
    await service.push(event(clock, "CLICK", EventKey="HELP"))

    assert await column(connection, "SELECT count(*) FROM callbacks") == [3]


async def test_two_followers_may_have_the_same_msgid(
    service: Service, connection: asyncpg.Connection, clock: WorldClock
) -> None:
    for openid in (OPENID, OTHER_OPENID):
        await service.push(message(clock, openid=openid, MsgId=42))

    assert await column(connection, "SELECT count(*) FROM callbacks") == [2]


async def test_a_person_is_known_from_the_first_push_to_the_last(
    service: Service, connection: asyncpg.Connection, clock: WorldClock
) -> None:
    began = clock.now()
    await service.push(message(clock))
    clock.advance(timedelta(minutes=3))
    await service.push(message(clock))
    await service.push(message(clock, CreateTime=clock.seconds - 3600))

    (person,) = await rows(connection, "SELECT * FROM openids")
    assert (person["appid"], person["openid"]) == (APPID, OPENID)
    assert person["first_seen_at"] == began + timedelta(minutes=3) - timedelta(hours=1)
    assert person["last_seen_at"] == clock.now()
    assert (person["unionid"], person["resolve_state"]) == (None, "pending")


@pytest.mark.parametrize(
    ("document", "opened"),
    [
        ({"MsgType": "text", "Content": "shop"}, [("message", 48 * 3600 - 60, 5)]),
        ({"MsgType": "text", "Content": "hi"}, []),
        ({"MsgType": "image", "MediaId": "m"}, []),
        ({"MsgType": "text", "Content": "hi", "bizmsgmenuid": "1"}, [("menu", 55, 3)]),
        ({"MsgType": "event", "Event": "CLICK", "EventKey": "k"}, [("menu", 55, 3)]),
        ({"MsgType": "event", "Event": "scancode_push", "EventKey": "k"}, [("menu", 55, 3)]),
        ({"MsgType": "event", "Event": "subscribe"}, [("follow", 55, 3)]),
        ({"MsgType": "event", "Event": "SCAN", "EventKey": "7"}, [("scan", 55, 3)]),
        ({"MsgType": "event", "Event": "VIEW", "EventKey": "https://e.com"}, []),
        ({"MsgType": "event", "Event": "view_miniprogram", "EventKey": "p"}, []),
        ({"MsgType": "event", "Event": "LOCATION"}, []),
        ({"MsgType": "event", "Event": "unsubscribe"}, []),
    ],
    ids=lambda value: (
        str(value.get("Event") or value["Content" if "bizmsgmenuid" in value else "MsgType"])
        if isinstance(value, dict)
        else None
    ),
)
async def test_each_action_opens_its_own_window(
    service: Service,
    connection: asyncpg.Connection,
    clock: WorldClock,
    document: Json,
    opened: list[tuple[str, int, int]],
) -> None:
    head = {
        "ToUserName": ACCOUNT.original_id,
        "FromUserName": OPENID,
        "CreateTime": clock.seconds,
    }

    await service.add_rule(card())

    await service.push(head | document)

    found = await windows(connection, clock)
    assert [(row["trigger"], row["seconds"], row["left"]) for row in found] == opened
    is_message = document["MsgType"] != "event" and "bizmsgmenuid" not in document
    assert await column(connection, "SELECT messaged_at FROM openids") == [
        clock.now() if is_message else None
    ]


async def test_a_new_action_fills_its_window_again_and_an_old_one_that_comes_late_does_not(
    service: Service, connection: asyncpg.Connection, clock: WorldClock
) -> None:
    await service.add_rule(card())
    await service.push(message(clock))
    await connection.execute("UPDATE send_windows SET sends_left = 1")
    await service.push(message(clock, CreateTime=clock.seconds - 60))
    late = await windows(connection, clock)
    clock.advance(timedelta(seconds=10))
    await service.push(message(clock))

    assert [row["left"] for row in late] == [1]
    assert await windows(connection, clock) == [
        {"trigger": "message", "seconds": 48 * 3600 - 60, "left": 5}
    ]


async def test_follow_and_unfollow_are_history(
    service: Service, connection: asyncpg.Connection, clock: WorldClock
) -> None:
    await service.push(event(clock, "subscribe", EventKey="qrscene_shop7", Ticket="TICKET"))
    clock.advance(timedelta(seconds=30))
    await service.push(event(clock, "unsubscribe", EventKey=""))
    clock.advance(timedelta(seconds=30))
    await service.push(event(clock, "subscribe"))

    history = await rows(
        connection, "SELECT openid, action, scene, ticket, unionid FROM follow_events ORDER BY id"
    )
    assert history == [
        {
            "openid": OPENID,
            "action": "follow",
            "scene": "shop7",
            "ticket": "TICKET",
            "unionid": None,
        },
        {"openid": OPENID, "action": "unfollow", "scene": None, "ticket": None, "unionid": None},
        {"openid": OPENID, "action": "follow", "scene": None, "ticket": None, "unionid": None},
    ]


@pytest.mark.parametrize(
    ("name", "wrapper", "items", "expected"),
    [
        (
            "subscribe_msg_popup_event",
            "SubscribeMsgPopupEvent",
            [
                {"TemplateId": "A", "SubscribeStatusString": "accept", "PopupScene": "1"},
                {"TemplateId": "B", "SubscribeStatusString": "reject", "PopupScene": "2"},
            ],
            [("popup", "A", "accept", "1"), ("popup", "B", "reject", "2")],
        ),
        (
            "subscribe_msg_change_event",
            "SubscribeMsgChangeEvent",
            [{"TemplateId": "A", "SubscribeStatusString": "reject"}],
            [("change", "A", "reject", None)],
        ),
        (
            "subscribe_msg_sent_event",
            "SubscribeMsgSentEvent",
            [{"TemplateId": "A", "MsgID": "17", "ErrorCode": "0", "ErrorStatus": "success"}],
            [("sent", "A", "success", None)],
        ),
    ],
)
async def test_a_subscription_event_is_one_row_a_template(
    service: Service,
    connection: asyncpg.Connection,
    clock: WorldClock,
    name: str,
    wrapper: str,
    items: list[Json],
    expected: list[tuple[Any, ...]],
) -> None:
    contents: Json = {wrapper: {"List": items}}
    document = event(clock, name, **contents)

    await service.push(document)
    await service.push(document)

    found = await rows(
        connection,
        "SELECT action, template_id, status, popup_scene FROM subscription_events ORDER BY id",
    )
    assert [tuple(row.values()) for row in found] == expected


async def test_a_platform_notice_makes_nobody_a_follower(
    service: Service, connection: asyncpg.Connection, clock: WorldClock
) -> None:
    await service.push(event(clock, "MASSSENDJOBFINISH", openid="mphelper", MsgID="1"))

    assert await column(connection, "SELECT count(*) FROM callbacks") == [1]
    assert await column(connection, "SELECT count(*) FROM openids") == [0]


async def test_a_privacy_event_is_about_the_person_it_names(
    service: Service, connection: asyncpg.Connection, clock: WorldClock
) -> None:
    revoked = event(
        clock, "user_authorization_revoke", openid="mphelper", OpenID=OPENID, RevokeInfo="1"
    )

    await service.push(revoked)

    assert await column(connection, "SELECT openid FROM callbacks") == [OPENID]
    assert await column(connection, "SELECT count(*) FROM openids") == [0]


@pytest.mark.parametrize(
    "pushed",
    [
        {"Event": "user_authorization_revoke", "OpenID": HUGE, "RevokeInfo": "1"},
        {"Event": "user_authorization_cancellation", "OpenID": "oP", "UnionID": HUGE},
        {"Event": "user_authorization_cancellation", "OpenPID": HUGE, "AppID": HUGE},
        {"Event": "subscribe", "FromUserName": HUGE, "EventKey": f"qrscene_{HUGE}"},
        {"Event": "CLICK", "EventKey": HUGE, "ToUserName": ""},
        {"Event": HUGE, "EventKey": HUGE, HUGE: "x"},
        {"Event": "user_get_card", "FriendUserName": HUGE, "CardId": HUGE},
        {"MsgType": HUGE, "MsgId": HUGE},
        {"MsgType": "text", "Content": HUGE, "MsgId": HUGE},
    ],
    ids=lambda pushed: str(pushed.get("Event", pushed.get("MsgType")))[:31],
)
async def test_a_value_too_long_for_an_index_is_stored_and_kept_whole(
    service: Service, connection: asyncpg.Connection, clock: WorldClock, pushed: Json
) -> None:
    answer = await service.push(event(clock, "x") | pushed)

    assert answer.status_code == 200
    await eventually(drained(service.inbox))
    [payload] = await column(connection, "SELECT payload::text FROM callbacks")
    assert pushed.items() <= json.loads(payload).items()


async def test_no_follow_is_lost_for_its_scene_and_no_consent_for_its_template(
    service: Service, clock: WorldClock
) -> None:
    template = {"TemplateId": HUGE, "SubscribeStatusString": "accept", "PopupScene": HUGE}
    for document in (
        event(clock, "subscribe", EventKey=f"qrscene_{HUGE}", Ticket=HUGE),
        event(clock, "SCAN", EventKey=HUGE[:3000], Ticket=HUGE),
        event(clock, "subscribe_msg_popup_event", List=[template]),
    ):
        assert (await service.push(document)).status_code == 200

    follows = await service.read("follow-events")
    assert [item["scene"] for item in follows["items"]] == [HUGE, HUGE[:3000]]
    assert [item["scene"] for item in (await service.read("followers"))["items"]] == [HUGE]
    [popup] = (await service.read("subscription-events"))["items"]
    assert (popup["template_id"], popup["popup_scene"]) == (HUGE, HUGE)
    [consent] = (await service.read("users", appid=APPID, openid=OPENID))["consents"]
    assert consent["template_id"].startswith("sha256:")


async def test_a_filter_by_scene_finds_that_scene_and_no_longer_one(
    service: Service, clock: WorldClock
) -> None:
    longest_filter = HUGE[:128]
    for scene in (longest_filter, HUGE[:129], HUGE[:127], HUGE):
        clock.advance(timedelta(seconds=1))
        await service.push(event(clock, "SCAN", EventKey=scene))
    start = (clock.now() - timedelta(minutes=1)).isoformat()

    for by_time in ({}, {"from": start}):
        found = await service.read("follow-events", scene=longest_filter, **by_time)
        assert [item["scene"] for item in found["items"]] == [longest_filter]


async def test_a_mini_programs_people_are_not_asked_about(
    database_url: str, tmp_path: Path, connection: asyncpg.Connection, clock: WorldClock
) -> None:
    mini = ACCOUNT.model_copy(update={"appid": "wx00000000000000ff", "token": "MiniToken"})
    accounts = tmp_path / "accounts.toml"
    accounts.write_text(
        f'[[account]]\nappid = "{mini.appid}"\nkind = "mini_program"\ntoken = "{mini.token}"\n'
        f'encoding_aes_key = "{mini.encoding_aes_key}"\n'
    )
    settings = settings_for(database_url, tmp_path, accounts_file=accounts)
    async with running(settings, clock) as service:
        await service.push(message(clock), account=mini)

    assert await rows(connection, "SELECT appid, resolve_state, resolve_reason FROM openids") == [
        {"appid": mini.appid, "resolve_state": "unavailable", "resolve_reason": "not_an_oa"}
    ]
    assert await jobs_named(connection, RESOLVE) == 0


async def test_a_held_reply_is_woken_by_the_followers_next_action(
    service: Service, connection: asyncpg.Connection, clock: WorldClock
) -> None:
    await service.add_rule(card())
    for openid in (OPENID, OTHER_OPENID):
        await service.push(message(clock, openid=openid))
    await connection.execute("UPDATE replies SET status = 'held'")
    await connection.execute("DELETE FROM pgqueuer")

    await service.push(event(clock, "VIEW", EventKey="https://e.com"))
    looked = await column(connection, STATUSES)
    await service.push(event(clock, "CLICK", EventKey="x"))

    assert looked == ["held", "held"]
    assert await rows(connection, "SELECT openid, status FROM replies ORDER BY status") == [
        {"openid": OTHER_OPENID, "status": "held"},
        {"openid": OPENID, "status": "pending"},
    ]
    assert await jobs_named(connection, DELIVER) == 1


async def test_who_leaves_gets_nothing_more(
    service: Service, connection: asyncpg.Connection, clock: WorldClock
) -> None:
    await service.add_rule(card())
    for openid in (OPENID, OTHER_OPENID):
        await service.push(message(clock, openid=openid))
    clock.advance(timedelta(seconds=1))

    await service.push(event(clock, "unsubscribe"))

    assert await rows(connection, "SELECT openid, status FROM replies ORDER BY status") == [
        {"openid": OTHER_OPENID, "status": "pending"},
        {"openid": OPENID, "status": "skipped"},
    ]
    assert await column(connection, "SELECT openid FROM send_windows") == [OTHER_OPENID]


async def test_who_writes_and_leaves_within_one_flush_gets_nothing_more(
    database_url: str, connection: asyncpg.Connection, clock: WorldClock
) -> None:
    wrote = record(clock, replies=(card(),))
    clock.advance(timedelta(seconds=1))
    left = record(clock, event(clock, "unsubscribe"))
    async with running_inbox(database_url) as inbox:
        assert [*await asyncio.gather(inbox.keep(wrote), inbox.keep(left))] == [
            StoredResult(None)
        ] * 2

    assert await column(connection, STATUSES) == ["skipped"]
    assert await column(connection, "SELECT count(*) FROM send_windows") == [0]


async def test_who_leaves_and_comes_back_within_one_flush_may_be_sent_to(
    database_url: str, connection: asyncpg.Connection, clock: WorldClock
) -> None:
    async with running_inbox(database_url) as inbox:
        await inbox.keep(record(clock, event(clock, "subscribe")))
        clock.advance(timedelta(seconds=1))
        left = record(clock, event(clock, "unsubscribe"))
        clock.advance(timedelta(seconds=1))
        back = record(clock, event(clock, "subscribe"), replies=(card(),))
        assert [*await asyncio.gather(inbox.keep(left), inbox.keep(back))] == [
            StoredResult(None)
        ] * 2

    assert await column(connection, STATUSES) == ["pending"]
    assert await column(connection, "SELECT count(*) FROM send_windows") == [1]
    assert await column(connection, "SELECT action FROM follow_events ORDER BY id") == [
        "follow",
        "unfollow",
        "follow",
    ]


async def test_coming_back_asks_again_for_a_unionid_that_was_not_to_be_had(
    service: Service, connection: asyncpg.Connection, clock: WorldClock
) -> None:
    await service.push(event(clock, "subscribe"))
    await connection.execute(
        "UPDATE openids SET resolve_state = 'unavailable', resolve_reason = 'not_following', "
        "resolve_next_at = NULL"
    )
    clock.advance(timedelta(seconds=1))

    await service.push(event(clock, "subscribe"))

    assert await rows(
        connection, "SELECT resolve_state, resolve_reason, resolve_next_at FROM openids"
    ) == [{"resolve_state": "pending", "resolve_reason": None, "resolve_next_at": clock.now()}]


async def test_an_event_of_a_known_person_carries_their_unionid(
    service: Service, connection: asyncpg.Connection, clock: WorldClock
) -> None:
    await service.push(message(clock))
    await connection.execute("UPDATE openids SET unionid = 'oUNION', resolve_state = 'resolved'")

    await service.push(event(clock, "unsubscribe"))
    popup = {"List": {"TemplateId": "A", "SubscribeStatusString": "accept", "PopupScene": "1"}}
    await service.push(event(clock, "subscribe_msg_popup_event", SubscribeMsgPopupEvent=popup))

    assert await column(connection, "SELECT unionid FROM follow_events") == ["oUNION"]
    assert await column(connection, "SELECT unionid FROM subscription_events") == ["oUNION"]


async def test_callbacks_are_counted_by_type_and_result(
    service: Service, clock: WorldClock
) -> None:
    document = message(clock)
    for _ in range(2):
        await service.push(document)
    await service.push(event(clock, "SCAN", EventKey="1"))

    lines = (await service.look("/metrics")).text.splitlines()
    assert [
        f'oa_bridge_callbacks_total{{appid="{APPID}",result="{result}",type="{kind}"}}' in line
        for result, kind in (("stored", "text"), ("duplicate", "text"), ("stored", "event:scan"))
        for line in ["\n".join(lines)]
    ] == [True, True, True]
