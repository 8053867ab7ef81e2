"""Which push opens which send window, and until when, as WeChat documents it."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.replies.models import WindowTrigger
from app.replies.send_windows import (
    END_OF_TIME,
    Limits,
    OpenedWindow,
    later,
    limits_from,
    opened_by,
)
from app.settings import Settings
from app.wechat.inbound import parse
from app.wechat.push_format import Format

SENT_AT = datetime(2026, 11, 28, 8, 0, 0, tzinfo=UTC)
LATER = SENT_AT + timedelta(seconds=20)
MESSAGE_UNTIL = SENT_AT + timedelta(hours=48) - timedelta(seconds=60)
ACTION_UNTIL = SENT_AT + timedelta(seconds=55)

LIMITS = Limits()

Members = dict[str, Any]


def opened(
    members: Members, *, limits: Limits = LIMITS, now: datetime = LATER
) -> OpenedWindow | None:
    sent = {"ToUserName": "gh_1", "FromUserName": "oA", "CreateTime": int(SENT_AT.timestamp())}
    return opened_by(parse(json.dumps(sent | members), Format.JSON), limits, now=now)


def text(**more: str) -> Members:
    return {"MsgType": "text", "Content": "hello", "MsgId": "1", **more}


def event(name: str, **more: str) -> Members:
    return {"MsgType": "event", "Event": name, "EventKey": "key", **more}


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        (text(), OpenedWindow(WindowTrigger.MESSAGE, SENT_AT, MESSAGE_UNTIL, 5)),
        (
            {"MsgType": "image", "MediaId": "m", "MsgId": "2"},
            OpenedWindow(WindowTrigger.MESSAGE, SENT_AT, MESSAGE_UNTIL, 5),
        ),
        (
            {"MsgType": "of-tomorrow"},
            OpenedWindow(WindowTrigger.MESSAGE, SENT_AT, MESSAGE_UNTIL, 5),
        ),
        (
            text(bizmsgmenuid="101"),
            OpenedWindow(WindowTrigger.MENU, SENT_AT, ACTION_UNTIL, 3),
        ),
        (event("CLICK"), OpenedWindow(WindowTrigger.MENU, SENT_AT, ACTION_UNTIL, 3)),
        (
            event("scancode_push", ScanCodeInfo=""),
            OpenedWindow(WindowTrigger.MENU, SENT_AT, ACTION_UNTIL, 3),
        ),
        (
            event("scancode_waitmsg", ScanCodeInfo=""),
            OpenedWindow(WindowTrigger.MENU, SENT_AT, ACTION_UNTIL, 3),
        ),
        (event("subscribe"), OpenedWindow(WindowTrigger.FOLLOW, SENT_AT, ACTION_UNTIL, 3)),
        (event("SCAN"), OpenedWindow(WindowTrigger.SCAN, SENT_AT, ACTION_UNTIL, 3)),
        (event("VIEW"), None),
        (event("view_miniprogram"), None),
        (event("unsubscribe"), None),
        (event("LOCATION"), None),
        (event("of_tomorrow"), None),
    ],
)
def test_a_push_opens_the_window_of_its_kind(
    members: Members, expected: OpenedWindow | None
) -> None:
    assert opened(members) == expected


def test_the_settings_decide_how_long_and_how_often() -> None:
    limits = Limits(2, timedelta(hours=1), 7, timedelta(minutes=5))

    assert opened(text(), limits=limits) == OpenedWindow(
        WindowTrigger.MESSAGE, SENT_AT, SENT_AT + timedelta(minutes=59), 2
    )
    assert opened(event("SCAN"), limits=limits) == OpenedWindow(
        WindowTrigger.SCAN, SENT_AT, SENT_AT + timedelta(seconds=295), 7
    )


def test_a_push_from_the_future_opens_its_window_now() -> None:
    now = SENT_AT - timedelta(seconds=30)

    window = opened(event("CLICK"), now=now)

    assert window == OpenedWindow(WindowTrigger.MENU, now, now + timedelta(seconds=55), 3)


@pytest.mark.parametrize("before_the_end", [timedelta(), timedelta(hours=1)])
def test_a_window_ends_with_the_calendar(before_the_end: timedelta) -> None:
    assert later(END_OF_TIME - before_the_end, timedelta(hours=2)) == END_OF_TIME


def test_a_window_just_before_the_end_of_the_calendar_is_whole() -> None:
    life = timedelta(hours=2)

    assert later(END_OF_TIME - life, life) == END_OF_TIME
    assert later(SENT_AT, life) == SENT_AT + life


def test_the_limits_are_those_of_the_settings() -> None:
    settings = Settings(
        _env_file=None,
        database_url="postgresql://nobody@127.0.0.1/none",
        window_message_sends=4,
        window_message_hours=24,
        window_action_sends=2,
        window_action_seconds=90,
    )

    assert limits_from(settings) == Limits(4, timedelta(hours=24), 2, timedelta(seconds=90))
