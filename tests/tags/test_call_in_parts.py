"""One call for many people, in parts while WeChat refuses one of them."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.tags.call_in_parts import call_in_parts
from app.wechat.errcodes import Action
from app.wechat.errors import ApiError, TransportError

pytestmark = pytest.mark.asyncio


@given(
    people=st.lists(st.integers(0, 99).map("o{:02}".format), unique=True, max_size=50).map(sorted),
    bad=st.sets(st.integers(0, 99).map("o{:02}".format)),
    most_calls=st.integers(0, 120),
)
async def test_each_person_is_called_for_once_and_only_bad_ones_are_refused(
    people: list[str], bad: set[str], most_calls: int
) -> None:
    tagged: list[str] = []
    calls = 0

    async def call(part: Sequence[str]) -> None:
        nonlocal calls
        calls += 1
        if bad & set(part):
            raise ApiError(49003, "not match openid", Action.PERMANENT)
        tagged.extend(part)

    called = await call_in_parts(call, people, lambda: calls < most_calls)
    reached = [*called.done, *called.refused]
    assert called.done == tagged
    assert called.error is None
    assert set(called.refused) == bad & set(reached)
    assert sorted(reached) == people[: len(reached)]
    assert called.last == (people[len(reached) - 1] if reached else None)
    if most_calls > 2 * len(people):
        assert sorted(reached) == people


async def test_another_error_ends_it_and_keeps_what_is_done() -> None:
    async def call(part: Sequence[str]) -> None:
        if part == ["o2"]:
            raise TransportError("cut off", outcome_unknown=True)
        if "o1" in part:
            raise ApiError(45059, "too many tags", Action.PERMANENT)

    called = await call_in_parts(call, ["o0", "o1", "o2"], lambda: True)
    assert (called.done, called.refused) == (["o0"], {"o1": 45059})
    assert isinstance(called.error, TransportError)
