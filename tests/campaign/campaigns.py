"""The campaigns by name."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from types import MappingProxyType

from tests.campaign import (
    clocks,
    database_faults,
    duplicates,
    full_disk,
    kills,
    overload,
    restarts,
    wechat_faults,
)
from tests.campaign.database_faults import Inject
from tests.campaign.deployment import Deployment, Shape, deployed
from tests.campaign.figures import Entry, Figures, Tables, compare, pushes_of, refusals_of
from tests.campaign.load import Load
from tests.campaign.options import Options

Campaign = Callable[[Options], Awaitable[Figures]]

BEFORE_SECONDS = 3.0
AFTER_SECONDS = 3.0


async def under_load(options: Options, *, inject: Inject, shape: Shape = Shape()) -> Figures:  # noqa: B008 - frozen
    """Run a service under a steady load, break it, and return what that cost."""
    async with deployed(shape, options) as deployment:
        load = Load(deployment.stack.peer, deployment.callback_urls, options.rate)
        async with load.running():
            await asyncio.sleep(BEFORE_SECONDS)
            await inject(deployment)
            recovery = await deployment.recovered()
            recovered_at = time.time()
            await asyncio.sleep(AFTER_SECONDS)
        return await _figures(deployment, load.seconds, recovery, recovered_at)


async def _figures(
    deployment: Deployment, seconds: float, recovery: float | None, recovered_at: float
) -> Figures:
    entries = await _entries(deployment)
    pushes = pushes_of(entries)
    await deployment.settle(len({push.openid for push in pushes if push.waited is not None}))
    stack = deployment.stack
    tables = Tables(await stack.tables.callbacks(), await stack.peer.cards())
    replies = await stack.tables.replies()
    notes = [f"replies {status} {count}" for status, count in replies.items() if status != "sent"]
    notes += [f"refused by {ends}: {count}" for ends, count in refusals_of(entries).items()]
    return compare(
        pushes,
        tables,
        seconds=seconds,
        recovery=recovery,
        recovered_at=recovered_at,
        notes=(*deployment.notes, *notes),
    )


async def _entries(deployment: Deployment) -> list[Entry]:
    peer = deployment.stack.peer
    return [*await peer.ledger("push"), *await peer.ledger("delivery")]


def _database(inject: Inject) -> Campaign:
    return partial(under_load, inject=inject)


CAMPAIGNS: Mapping[str, Campaign] = MappingProxyType(
    {
        "kills": partial(under_load, inject=kills.kill_at_random, shape=Shape(web_processes=2)),
        "database-stopped-5": _database(database_faults.stopped_for(5)),
        "database-stopped-30": _database(database_faults.stopped_for(30)),
        "database-stopped-60": _database(database_faults.stopped_for(60)),
        "database-hung-10": _database(database_faults.hung_for(10)),
        "database-hung-45": _database(database_faults.hung_for(45)),
        "database-cut": _database(database_faults.cut_every_second),
        "disk-full-spool": partial(
            under_load, inject=full_disk.fill_the_spool, shape=Shape(small_disk=8)
        ),
        "disk-full-database": partial(
            under_load, inject=full_disk.fill_the_database, shape=Shape(small_postgres=256)
        ),
        "wechat-slow": partial(under_load, inject=wechat_faults.slow),
        "wechat-failing": partial(under_load, inject=wechat_faults.failing),
        "wechat-dropping": partial(under_load, inject=wechat_faults.dropping),
        "duplicates": partial(under_load, inject=duplicates.storm),
        "overload": overload.run,
        "rolling-restart": partial(under_load, inject=restarts.restart_all_in_turn),
        "clocks-ahead": partial(
            under_load, inject=clocks.go_on, shape=Shape(clocks=clocks.off_by(clocks.HOUR))
        ),
        "clocks-behind": partial(
            under_load, inject=clocks.go_on, shape=Shape(clocks=clocks.off_by(-clocks.HOUR))
        ),
    }
)
