"""The id of a reply: a UUIDv7 of the push, its time and the place of the reply."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.rules.matching.reply_id import reply_id

KEY = bytes(range(16))
keys = st.binary(min_size=16, max_size=16)
times = st.integers(0, 253_402_300_799)
positions = st.integers(0, 99)


def test_an_id_stays_the_same_over_releases() -> None:
    """Services of two releases answer copies of one push while one of them is replaced."""
    assert reply_id(KEY, 1795500000, 0) == UUID("01a20c23-c300-7000-b496-44867b0897ea")
    assert reply_id(KEY, 1795500000, 3) == UUID("01a20c23-c300-7003-b0a1-e18f8d8dc3d5")


def test_an_id_is_the_same_whether_or_not_a_version_begins_keys_with_the_time() -> None:
    assert reply_id(b"\x6b\x05\x27\xe0" + KEY, 1795500000, 3) == reply_id(KEY, 1795500000, 3)


@given(keys, times, positions)
def test_an_id_is_a_uuid_of_version_7_with_the_time_of_the_push(
    key: bytes, create_time: int, position: int
) -> None:
    made = reply_id(key, create_time, position)

    assert (made.version, made.variant) == (7, "specified in RFC 4122")
    assert made.int >> 80 == create_time * 1000
    assert (made.int >> 64) & 0xFFF == position


@given(st.lists(st.tuples(keys, positions), min_size=2, max_size=2, unique=True))
def test_what_cannot_be_guessed_differs_by_push_and_by_place(
    pushes: list[tuple[bytes, int]],
) -> None:
    one, two = (reply_id(key, 1795500000, position).int & (1 << 62) - 1 for key, position in pushes)

    assert one != two


@pytest.mark.parametrize(
    "create_time", [2**48 // 1000, 2**48 // 1000 + 1, 2**49 // 1000 + 1, 10**15]
)
def test_a_time_that_no_uuid_holds_gives_an_id_all_the_same(create_time: int) -> None:
    made = reply_id(KEY, create_time, 5000)

    assert made.version == 7
    assert made.int >> 80 == create_time * 1000 % 2**48
