"""Two worker processes while nothing listens at WeChat's address, and after it is back."""

from collections import Counter
from datetime import timedelta
from pathlib import Path

import asyncpg
import httpx

from benchmarks.delivery_fill import Backlog
from tests.campaign.worker_kills import stand_in
from tests.processes import free_port
from tests.replies.test_fair_workers import (
    BUSY,
    QUIET,
    SENDS_OF_ACCOUNT,
    WORKERS,
    settings_of_accounts,
    workers,
)
from tests.waiting import eventually

BACKLOG = 1500
FEW = 5
PROBES = 2
ATTEMPTS = "SELECT sum(attempts)::int FROM replies WHERE appid = $1"
PAUSED = "SELECT api FROM api_problems WHERE probe_at IS NOT NULL"
OPEN = "SELECT count(*) FROM replies WHERE status <> 'sent'"
# Of each worker: what it sends at once, what begins while the first ones fail, and a claim for each
# call that is let through.
MOST_ATTEMPTS = WORKERS * (2 * SENDS_OF_ACCOUNT + PROBES + 1)


async def test_a_backlog_waits_for_wechat_and_goes_out_once_it_is_back(
    database_url: str, tmp_path: Path, connection: asyncpg.Connection
) -> None:
    port = free_port()
    settings = settings_of_accounts(database_url, tmp_path, (BUSY, QUIET)).model_copy(
        update={"wechat_api_base_url": f"http://127.0.0.1:{port}"}
    )
    accounts = ((BUSY, "odays"), (QUIET, "oquiet"))

    async def all_are_sent() -> bool:
        return bool(await connection.fetchval(OPEN) == 0)

    async def waits() -> bool:
        found = await connection.fetch(
            "SELECT appid FROM api_problems WHERE api = 'message/custom/send' AND errcode IS NULL "
            "AND probes >= $1",
            PROBES,
        )
        return {row["appid"] for row in found} == {BUSY, QUIET}

    with workers(settings):
        # So the workers have access tokens.
        with stand_in(port):
            for appid, name in accounts:
                await Backlog(appid, f"{name[1:]}first", FEW).store(connection)
            await eventually(all_are_sent, "the first replies to be sent", within=60)
        for appid, name in accounts:
            await Backlog(appid, name[1:], BACKLOG).store(connection)
        await eventually(waits, "the calls of both accounts to wait", within=60)
        tried = [await connection.fetchval(ATTEMPTS, appid) for appid, _ in accounts]
        await Backlog(BUSY, "minute", FEW, timedelta(minutes=1)).store(connection)
        with stand_in(port) as wechat:
            await eventually(all_are_sent, "every reply to be sent", within=60)
            async with httpx.AsyncClient(base_url=wechat, trust_env=False) as client:
                sent = (await client.get("/sent")).json()

    assert max(tried) <= FEW + MOST_ATTEMPTS
    ledger = [openid for _, _, openid in sent]
    assert Counter(Counter(ledger).values()) == {1: 2 * BACKLOG + FEW}
    names = [openid.split("_")[0] for openid in ledger]
    last = max(place for place, name in enumerate(names) if name == "ominute")
    assert names[:last].count("odays") < BACKLOG / 2
    assert await connection.fetch(PAUSED) == []
