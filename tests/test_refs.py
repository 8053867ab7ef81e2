"""The refs of what is sent."""

import re
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app import refs
from app.menus.document import MAX_CONDITIONAL
from app.rules.matching.reply_id import reply_id

FORM = re.compile(r"[A-Za-z0-9_-]{10}")
ids = st.integers(0, (1 << 128) - 1).map(lambda number: UUID(int=number))
marks = st.text("abcXYZ019-_", min_size=8, max_size=8)
positions = st.builds(
    lambda menu, button, sub: (
        (f"c{menu}-" if menu else "") + str(button) + (f"-{sub}" if sub else "")
    ),
    st.integers(0, MAX_CONDITIONAL),
    st.integers(1, 3),
    st.integers(0, 5),
)


@given(st.binary(min_size=16, max_size=16), st.integers(1_700_000_000, 2_500_000_000))
def test_the_ref_of_a_reply_tells_its_second_and_its_last_bits(key: bytes, at: int) -> None:
    made = reply_id(key, at, 3)
    ref = refs.of_reply(made)
    trace = refs.reply_trace(ref)

    assert FORM.fullmatch(ref)
    assert trace.low == made.int & (1 << 34) - 1
    moment = datetime.fromtimestamp(at, UTC)
    for later in (timedelta(), timedelta(minutes=5), timedelta(days=700)):
        assert trace.second_before(moment + later) == moment


@given(ids)
def test_the_ref_of_a_notice_tells_how_its_id_ends(notice_id: UUID) -> None:
    ref = refs.of_notice(notice_id)

    assert FORM.fullmatch(ref)
    assert str(notice_id).endswith(refs.notice_end(ref))
    assert len(refs.notice_end(ref)) == 16


@given(marks, positions)
def test_the_ref_of_a_button_tells_version_and_position(mark: str, position: str) -> None:
    ref = refs.of_button(mark, position)

    assert FORM.fullmatch(ref)
    assert (ref[: refs.MENU_MARK], refs.position_of(ref)) == (mark, position)


@given(ids, st.text(min_size=1))
def test_the_refs_of_a_link_begin_with_bits_of_its_id(link_id: UUID, name: str) -> None:
    named, drawn = refs.of_link(link_id, name), refs.of_link(link_id)

    assert FORM.fullmatch(named)
    assert FORM.fullmatch(drawn)
    assert named == refs.of_link(link_id, name)
    assert named[: refs.LINK_MARK] == drawn[: refs.LINK_MARK] == refs.link_mark(link_id)
    assert str(link_id).endswith(refs.link_end(named))


@given(st.text(max_size=40))
def test_any_text_is_read_without_an_error(text: str) -> None:
    if refs.may_be_ref(text):
        kinds = (refs.is_short(text), refs.id_in(text) is not None, bool(refs.dotted_parts(text)))
        assert any(kinds)
    if refs.is_short(text):
        refs.reply_trace(text)
        refs.notice_end(text)
        refs.position_of(text)


@pytest.mark.parametrize(
    ("page", "expected"),
    [
        ("pages/a", "pages/a?ref=R234567890"),
        ("pages/a?x=1", "pages/a?x=1&ref=R234567890"),
        ("pages/a?", "pages/a?ref=R234567890"),
        ("pages/a#top", "pages/a?ref=R234567890#top"),
        ("pages/a?x=1#a?b", "pages/a?x=1&ref=R234567890#a?b"),
        ("pages/a?ref=mine", "pages/a?ref=mine"),
        ("pages/a?from=R234567890", "pages/a?from=R234567890"),
        ("pages/a?aref=1", "pages/a?aref=1&ref=R234567890"),
    ],
)
def test_a_page_gets_the_ref_unless_it_has_one(page: str, expected: str) -> None:
    assert refs.page_with_ref(page, "R234567890") == expected
