"""WeChat's API answers slowly, refuses, or drops the connection."""

import asyncio

from tests.campaign.database_faults import Inject
from tests.campaign.deployment import Deployment

SEND = "message/custom/send"
SECONDS = 20


def sends(*effects: dict[str, object]) -> Inject:
    """Let sends of customer-service messages fail in these ways for a while."""

    async def inject(deployment: Deployment) -> None:
        for effect in effects:
            await deployment.stack.peer.fault(SEND, **effect)
        await asyncio.sleep(SECONDS)
        await deployment.stack.peer.clear_faults()

    return inject


slow = sends({"latency_seconds": 3.0})
failing = sends(
    {"errcode": -1, "probability": 0.3},
    {"status": 502, "probability": 0.3},
    {"errcode": 45011, "probability": 0.1},
)
dropping = sends({"drop": "before", "probability": 0.2}, {"drop": "after", "probability": 0.2})
