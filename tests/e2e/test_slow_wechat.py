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
QUOTA: Json = {"errcode": 45009}


@pytest.fixture
async def stack(database_url: str, tmp_path: Path) -> AsyncIterator[Stack]:
    async with run_stack(database_url, tmp_path) as running:
        yield running


async def test_callbacks_are_answered_and_every_card_arrives_or_has_a_reason(stack: Stack) -> None:
    await _without_a_token(stack)
    await _with_every_fault_of_sending(stack)


async def _without_a_token(stack: Stack) -> None:
    await stack.peer.fault("stable_token", latency_seconds=30)
    await stack.peer.fault("media/upload", status=502, count=1)

    pushed = await stack.peer.push_all(texts(stack.urls, PUSHES, group="none"))

    _all_answered_at_once(pushed)
    await stack.peer.clear_faults()
    await stack.settled("none")
    assert len(await stack.peer.cards("none")) == PUSHES


async def _with_every_fault_of_sending(stack: Stack) -> None:
    for effect in [*UNKNOWN, *TRIED_AGAIN, QUOTA]:
        await stack.peer.fault(SEND, count=EACH, **effect)

    pushed = await stack.peer.push_all(texts(stack.urls, PUSHES, group="each"))

    _all_answered_at_once(pushed)
    failed = EACH * len(UNKNOWN)
    ends = {"sent": PUSHES - failed - EACH, "failed": failed, "pending": EACH}

    async def have_ended() -> bool:
        return await stack.tables.replies("each") == ends

    await eventually(have_ended, "all but those over the day's quota to end")
    cards = await stack.peer.cards("each")
    unsent = await stack.tables.rows(
        "SELECT openid, status, errcode, errmsg FROM replies "
        "WHERE via = 'customer_service' AND status <> 'sent'"
    )
    everyone = {person(number, "each") for number in range(PUSHES)}
    assert everyone - cards.keys() <= {row["openid"] for row in unsent}
    assert set(cards.values()) == {1}
    assert {row["errcode"] for row in unsent if row["status"] == "pending"} == {45009}
    reasons = [row["errmsg"] for row in unsent if row["status"] == "failed"]
    assert all(reason.startswith("outcome unknown") for reason in reasons)


def _all_answered_at_once(pushed: list[Json]) -> None:
    assert {push["answer"]["verdict"] for push in pushed} == {"passive"}
    assert {len(push["deliveries"]) for push in pushed} == {1}
