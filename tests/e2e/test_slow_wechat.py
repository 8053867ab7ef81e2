"""WeChat's API is slow and fails in every way; callbacks don't notice."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.e2e.peer import Json, person, texts
from tests.e2e.stack import Stack, run_stack
from tests.waiting import eventually

SEND = "message/custom/send"
PUSHES = 60
EACH = 4

# What WeChat may have done all the same is not repeated; what it has refused is.
UNKNOWN: list[Json] = [{"latency_seconds": 6}, {"drop": "before"}, {"drop": "after"}]
TRIED_AGAIN: list[Json] = [{"errcode": -1}, {"status": 502}, {"errcode": 40001}]


@pytest.fixture
async def stack(database_url: str, tmp_path: Path) -> AsyncIterator[Stack]:
    async with run_stack(database_url, tmp_path) as running:
        yield running


async def test_callbacks_are_answered_and_every_card_arrives_or_has_a_reason(stack: Stack) -> None:
    await _without_a_token(stack)
    await _with_every_fault_of_sending(stack)
    await _with_a_used_up_quota(stack)


async def _without_a_token(stack: Stack) -> None:
    await stack.peer.fault("stable_token", latency_seconds=30)
    await stack.peer.fault("media/upload", status=502, count=1)

    pushed = await stack.peer.push_all(texts(stack.urls, PUSHES, group="none"))

    _all_answered_at_once(pushed)
    await stack.peer.clear_faults()
    await stack.settled("none")
    assert len(await stack.peer.cards("none")) == PUSHES


async def _with_every_fault_of_sending(stack: Stack) -> None:
    for effect in [*UNKNOWN, *TRIED_AGAIN]:
        await stack.peer.fault(SEND, count=EACH, **effect)

    pushed = await stack.peer.push_all(texts(stack.urls, PUSHES, group="each"))

    _all_answered_at_once(pushed)
    failed = EACH * len(UNKNOWN)
    ends = {"sent": PUSHES - failed, "failed": failed}

    async def have_ended() -> bool:
        return await stack.tables.replies("each") == ends

    await eventually(have_ended, "every card to end")
    cards = await stack.peer.cards("each")
    unsent = await stack.tables.rows(
        "SELECT openid, status, errcode, errmsg FROM replies "
        "WHERE via = 'customer_service' AND status <> 'sent'"
    )
    everyone = {person(number, "each") for number in range(PUSHES)}
    assert everyone - cards.keys() <= {row["openid"] for row in unsent}
    assert set(cards.values()) == {1}
    assert all(row["errmsg"].startswith("outcome unknown") for row in unsent)


async def _with_a_used_up_quota(stack: Stack) -> None:
    """WeChat says so once: nothing more is asked of it that day, and every card waits."""
    await stack.peer.fault(SEND, count=1, errcode=45009)
    pushed = await stack.peer.push_all(texts(stack.urls, 1, group="quota"))
    await eventually(lambda: _says(stack, 45009), "the first card to meet the quota")

    pushed += await stack.peer.push_all(texts(stack.urls, PUSHES, first=1, group="quota"))
    _all_answered_at_once(pushed)
    assert await stack.tables.replies("quota") == {"pending": 1 + PUSHES}
    assert await stack.peer.cards("quota") == {}


async def _says(stack: Stack, errcode: int, of: int = 1) -> bool:
    rows = await stack.tables.rows("SELECT id FROM replies WHERE errcode = $1", errcode)
    return len(rows) == of


def _all_answered_at_once(pushed: list[Json]) -> None:
    assert {push["answer"]["verdict"] for push in pushed} == {"passive"}
    assert {len(push["deliveries"]) for push in pushed} == {1}
