from dataclasses import fields
from datetime import UTC, datetime

import pytest

from app.wechat.crypto import CallbackQuery, check_freshness
from app.wechat.errors import BadEnvelope, Stale

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
NOON_SECONDS = int(NOON.timestamp())


def test_a_query_is_read_by_name_and_the_rest_left_out() -> None:
    query = CallbackQuery.parse(
        b"signature=abc&echostr=a%2Bb+c%3D&timestamp=1&nonce=&future=x&future=y&openid=o%E4%BD%A0"
    )

    assert query == CallbackQuery(
        signature="abc", echostr="a+b c=", timestamp="1", nonce="", openid="o你"
    )


@pytest.mark.parametrize(
    ("raw", "echostr"),
    [
        (b"echostr=a%2Bb", "a+b"),
        (b"echostr=a+b", "a b"),
        (b"echostr=YWJj==", "YWJj=="),
        (b"echostr=abc", "abc"),
    ],
)
def test_a_value_is_unquoted_whichever_way_it_is_quoted(raw: bytes, echostr: str) -> None:
    assert CallbackQuery.parse(raw).echostr == echostr


@pytest.mark.parametrize("name", [field.name for field in fields(CallbackQuery)])
def test_a_repeated_parameter_is_refused(name: str) -> None:
    with pytest.raises(BadEnvelope, match=r"^repeated_parameter$"):
        CallbackQuery.parse(f"{name}=a&x=1&{name}=a".encode())


@pytest.mark.parametrize("raw", [b"", b"&&", b"=", b"signature", b"\xff=\xff", b"nonce=%ff%00"])
def test_a_strange_query_is_no_error(raw: bytes) -> None:
    assert isinstance(CallbackQuery.parse(raw), CallbackQuery)


@pytest.mark.parametrize("offset", [-600, 0, 600])
def test_a_timestamp_inside_the_window_is_fresh(offset: int) -> None:
    check_freshness(str(NOON_SECONDS + offset), now=NOON, window_seconds=600)


@pytest.mark.parametrize(
    "timestamp",
    [
        str(NOON_SECONDS - 601),
        str(NOON_SECONDS + 601),
        "",
        "soon",
        "-1",
        "1e9",
        "１７９５",
        "9" * 5000,
        None,
    ],
)
def test_a_timestamp_outside_the_window_or_no_number_is_stale(timestamp: str | None) -> None:
    with pytest.raises(Stale, match=r"^outside_replay_window$"):
        check_freshness(timestamp, now=NOON, window_seconds=600)


def test_a_timestamp_may_have_twelve_digits() -> None:
    check_freshness(f"{NOON_SECONDS:012d}", now=NOON, window_seconds=600)
    with pytest.raises(Stale, match=r"^outside_replay_window$"):
        check_freshness(f"{NOON_SECONDS:013d}", now=NOON, window_seconds=600)


def test_a_window_of_zero_turns_the_check_off() -> None:
    check_freshness("1", now=NOON, window_seconds=0)
