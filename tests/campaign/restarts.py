"""Rolling restarts, as an upgrade does them."""

import time

from tests.campaign.deployment import Deployment

STOP_SECONDS = 10
MAX_ROUNDS = 3


async def restart_all_in_turn(deployment: Deployment) -> None:
    """Stop each program with SIGTERM and start it again, one after the other."""
    longest = 0.0
    for _ in range(min(deployment.options.rounds, MAX_ROUNDS)):
        for child in (*deployment.stack.webs, *deployment.stack.workers):
            began = time.monotonic()
            status = await child.stopped(STOP_SECONDS)
            longest = max(longest, time.monotonic() - began)
            if status:
                deployment.notes.append(f"{child.name} ended with status {status}")
            await deployment.restart(child)
    deployment.notes.append(f"slowest stop {longest:.1f} s")
