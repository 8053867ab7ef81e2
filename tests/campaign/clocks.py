"""The clocks of a web process and of a worker are an hour off."""

import asyncio

from tests.campaign.deployment import Deployment

HOUR = 3600.0
SECONDS = 20


def off_by(seconds: float) -> dict[str, float]:
    """Return the clocks of a deployment in which one of each kind is off."""
    return {"web-0": seconds, "worker-0": seconds}


async def go_on(_deployment: Deployment) -> None:
    """Let the load run for a while: the clocks were off from the start."""
    await asyncio.sleep(SECONDS)
