"""kill -9 of web processes, their parents and workers, at random moments."""

import asyncio
import time
from collections import Counter

import psutil

from tests.campaign.deployment import Deployment, children_of, end
from tests.e2e.children import Child
from tests.waiting import eventually

PAUSE_SECONDS = (0.2, 2.0)
VICTIMS = ("web process", "parent", "worker")
# How long the children of a killed parent may still run.
ORPHAN_SECONDS = 3.0


async def kill_at_random(deployment: Deployment) -> None:
    """Kill one after the other and wait until it is replaced; the load goes on meanwhile."""
    killed: Counter[str] = Counter()
    orphans = 0
    longest = 0.0
    for _ in range(deployment.options.rounds):
        await asyncio.sleep(deployment.random.uniform(*PAUSE_SECONDS))
        victim = deployment.random.choice(VICTIMS)
        began = time.monotonic()
        if victim == "worker":
            await _kill_worker(deployment)
        else:
            web = deployment.random.choice(deployment.stack.webs)
            if victim == "parent":
                orphans += await _kill_parent(deployment, web)
            else:
                await _kill_web_process(deployment, web)
        killed[victim] += 1
        longest = max(longest, time.monotonic() - began)
    deployment.notes.append(" and ".join(f"{killed[victim]} x {victim}" for victim in VICTIMS))
    deployment.notes.append(f"replaced within {longest:.1f} s")
    deployment.notes.append(f"children left by a parent {orphans}")


async def _kill_worker(deployment: Deployment) -> None:
    worker = deployment.random.choice(deployment.stack.workers)
    await asyncio.to_thread(worker.kill)
    await deployment.restart(worker)


async def _kill_parent(deployment: Deployment, web: Child) -> int:
    """Kill the process that holds the others, and start it again; return how many it left."""
    children = children_of(web)
    await asyncio.to_thread(web.kill)
    _, left = await asyncio.to_thread(psutil.wait_procs, children, ORPHAN_SECONDS)
    serving = [process for process in left if _serves(process)]
    # With the port in their hands nothing could start in its place.
    await asyncio.to_thread(end, left)
    await deployment.restart(web)
    return len(serving)


async def _kill_web_process(deployment: Deployment, web: Child) -> None:
    """Kill one web process; its parent starts another one."""
    wanted = deployment.shape.web_processes
    serving = [process for process in children_of(web) if _serves(process)]
    if not serving:
        return
    victim = deployment.random.choice(serving)
    await asyncio.to_thread(end, [victim])

    async def is_replaced() -> bool:
        return len([process for process in children_of(web) if _serves(process)]) >= wanted

    await eventually(is_replaced, f"{web.name} to replace a web process")


def _serves(process: psutil.Process) -> bool:
    """Tell whether it is a web process: one that was forked from the server of forks."""
    try:
        parent = process.parent()
        line = " ".join(parent.cmdline()) if parent else ""
    except psutil.Error:
        return False
    return "forkserver" in line
