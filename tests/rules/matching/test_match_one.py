"""One trigger against one message: events by name and key, and what is no event."""

from typing import Any

import pytest

from app.rules.matching.account_index import text_of
from app.rules.matching.match_one import matches
from app.wechat.inbound import Inbound
from tests.rules.makers import (
    click,
    follow,
    happening,
    image,
    place,
    rule,
    scan,
    text,
    unfollow,
    voice,
)

POPUP = happening(
    "subscribe_msg_popup_event",
    List={"TemplateId": "T", "SubscribeStatusString": "accept", "PopupScene": "0"},
)


@pytest.mark.parametrize(
    ("on", "trigger", "fits", "others"),
    [
        ("subscribe", {}, [follow(), follow("s")], [scan("s"), unfollow(), text("subscribe")]),
        ("subscribe", {"scene": "s"}, [follow("s")], [follow(), follow("st"), scan("s")]),
        (
            "subscribe",
            {"scene_prefix": "s"},
            [follow("s"), follow("st")],
            [follow(), follow("ts"), scan("s")],
        ),
        ("scan", {"scene": "s"}, [scan("s"), follow("s")], [scan("t"), scan("st"), follow()]),
        ("click", {"key": "k"}, [click("k")], [click("K"), click("kk"), text("k"), image()]),
        ("fallback", {}, [text("a"), image(), voice("")], [follow(), click("k")]),
        (
            "location",
            {"latitude": 31.2, "longitude": 121.5, "radius_metres": 1000},
            [place(31.2, 121.5), place(31.201, 121.501)],
            [place(31.3, 121.5), text("31.2"), follow()],
        ),
        (
            "subscribe_msg",
            {"template": "T", "status": "accept"},
            [POPUP],
            [text("accept"), follow()],
        ),
        ("text", {"match": "exact", "keyword": "a"}, [text("a")], [text("b"), voice("a"), image()]),
        (
            "text",
            {"match": "exact", "keyword": "a", "voice": True},
            [text("a"), voice("a")],
            [voice("b"), voice("")],
        ),
        (
            "text",
            {"match": "exact", "keyword": "a", "not": True},
            [text("b")],
            [text("a"), voice("b"), image()],
        ),
    ],
)
def test_a_trigger_fits_its_messages_alone(
    on: str, trigger: dict[str, Any], fits: list[Inbound], others: list[Inbound]
) -> None:
    made = rule(1, on, **trigger).trigger

    assert [matches(made, message, text_of(message)) for message in fits] == [True] * len(fits)
    assert [matches(made, message, text_of(message)) for message in others] == [False] * len(others)
