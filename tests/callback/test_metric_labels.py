"""What a push is counted as."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.callback.metric_labels import (
    EVENT_TYPES,
    UNKNOWN_TYPE,
    UNSUPPORTED_TYPE,
    callback_type,
    counted_msgtype,
)
from app.wechat.inbound.registry import MESSAGES
from tests.rules.makers import image, sticker, text


@given(st.text(), st.none() | st.text())
def test_no_push_can_invent_a_label(msgtype: str, event: str | None) -> None:
    known = {f"event:{name}" for name in EVENT_TYPES} | set(MESSAGES) | {UNSUPPORTED_TYPE}

    assert callback_type(msgtype, event) in known | {UNKNOWN_TYPE}


@pytest.mark.parametrize(
    ("msgtype", "event", "label"),
    [
        ("text", None, "text"),
        ("event", "subscribe", "event:subscribe"),
        ("event", "SCAN", "event:scan"),
        ("event", "LOCATION", "event:location"),
        ("location", None, "location"),
        ("event", None, "unknown"),
        ("hologram", None, "unknown"),
        ("event", "hologram", "unknown"),
    ],
)
def test_types_have_one_label_whatever_their_case(
    msgtype: str, event: str | None, label: str
) -> None:
    assert callback_type(msgtype, event) == label


def test_a_sticker_is_counted_apart_from_texts() -> None:
    counted = [counted_msgtype(message) for message in (text("a"), sticker(), image())]

    assert counted == ["text", "unsupported", "image"]
    assert callback_type("unsupported", None) == "unsupported"
