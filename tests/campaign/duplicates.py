"""Copies of each push at the same moment at two services."""

from tests.campaign.deployment import Deployment
from tests.e2e.peer import FIRST_MSG_ID, acknowledged, passive_text, texts

PEOPLE = 300
COPIES = 3
# With more messages at once the simulator is the one that is too slow: it delivers all of them.
AT_ONCE = 8


async def storm(deployment: Deployment) -> None:
    """Push each message three times at once, to the services in turn."""
    stack = deployment.stack
    now = await stack.tables.value("SELECT extract(epoch FROM now())::bigint")
    pushes = [
        push | {"msg_id": FIRST_MSG_ID + number, "create_time": now}
        for number in range(PEOPLE)
        for copy in range(COPIES)
        for push in texts([stack.urls[(number + copy) % 2]], 1, first=number, group="copy")
    ]
    pushed = await stack.peer.push_all(pushes, concurrency=AT_ONCE * COPIES)
    replies = {passive_text(push) for push in pushed if acknowledged(push)}
    deployment.notes.append(f"{COPIES} copies each, passive replies {len(replies)}")
