"""The same pushes, three times at the same instant, at two web processes."""

from collections import Counter

from tests.e2e.peer import FIRST_MSG_ID, acknowledged, passive_text, person, texts
from tests.e2e.stack import Stack

PUSHES = 100
COPIES = 3


async def test_a_storm_of_copies_at_two_web_processes_has_the_effect_of_one(stack: Stack) -> None:
    # Each person's copies go to both processes; every other one's majority to the second.
    at_once = await _now(stack)
    storm = [
        push | {"msg_id": FIRST_MSG_ID + number, "create_time": at_once}
        for number in range(PUSHES)
        for copy in range(COPIES)
        for push in texts([stack.urls[(number + copy) % 2]], 1, first=number, group="storm")
    ]
    pushed = await stack.peer.push_all(storm, concurrency=32 * COPIES)
    await stack.settled("storm")

    assert all(acknowledged(copy) for copy in pushed)
    assert {passive_text(copy) for copy in pushed} == {"正在为您打开商城"}
    once = Counter({person(number, "storm"): 1 for number in range(PUSHES)})
    assert await stack.tables.callbacks("storm") == once
    assert await stack.peer.cards("storm") == once
    assert await stack.tables.replies("storm") == {"sent": PUSHES}


async def test_a_late_copy_gets_the_first_ones_reply_although_the_rules_have_changed(
    stack: Stack,
) -> None:
    trigger = {"on": "text", "match": "exact", "keyword": "昨天的"}
    rule_id = await stack.add_rule(trigger=trigger)
    push = texts(stack.urls[:1], 1, group="late", text="昨天的")[0] | {
        "msg_id": FIRST_MSG_ID,
        "create_time": await _now(stack),
    }
    await stack.peer.push(**push)
    await stack.settled("late")
    await stack.api("DELETE", f"rules/{rule_id}")
    await stack.rules_are_live()

    other = f"{stack.urls[1]}/callback/{{appid}}"
    copy = await stack.peer.push(**(push | {"callback_url": other}))

    assert passive_text(copy) == "正在为您打开商城"
    assert await stack.peer.cards("late") == {person(0, "late"): 1}


async def _now(stack: Stack) -> int:
    seconds: int = await stack.tables.value("SELECT extract(epoch FROM now())::bigint")
    return seconds
