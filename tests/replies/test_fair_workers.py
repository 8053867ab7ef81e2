"""Two worker processes, several accounts: none keeps the cards of another one waiting."""

import asyncio
import multiprocessing
import os
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import asyncpg
import httpx

import app.worker
from app.clock import SystemClock
from app.db.engine import open_database
from app.settings import Settings
from app.wechat.client import ApiClient
from app.worker import Worker, make_jobs
from benchmarks.delivery_fill import Backlog
from tests.campaign.worker_kills import stand_in
from tests.service import settings_for
from tests.waiting import eventually

BUSY, QUIET, WITHOUT_RIGHT, WITHOUT_QUOTA = (f"wx{number:016d}" for number in range(1, 5))
ACCOUNTS = (BUSY, QUIET, WITHOUT_RIGHT, WITHOUT_QUOTA)
WORKERS = 2
SENDS_OF_ACCOUNT = 5
BACKLOG = 600
BEFORE = 50
FEW = 5


def work(settings: Settings) -> None:
    """Be a worker process that sends few replies at once."""
    app.worker.MAX_SENDS = len(ACCOUNTS) * SENDS_OF_ACCOUNT  # type: ignore[misc]
    app.worker.MAX_SENDS_OF_ACCOUNT = SENDS_OF_ACCOUNT  # type: ignore[misc]
    with Path(os.devnull).open("w") as nothing:
        os.dup2(nothing.fileno(), sys.stdout.fileno())
    asyncio.run(run_worker(settings))


async def run_worker(settings: Settings) -> None:
    database = open_database(settings.database_url)
    async with ApiClient(app.worker.MAX_CALLS) as client:
        await Worker(make_jobs(settings, database, SystemClock(), client)).run()


@contextmanager
def workers(settings: Settings) -> Iterator[None]:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    processes = [context.Process(target=work, args=(settings,)) for _ in range(WORKERS)]
    try:
        for process in processes:
            process.start()
        yield
    finally:
        for process in processes:
            process.kill()
            process.join()


def accounts_file(folder: Path, appids: Sequence[str] = ACCOUNTS) -> Path:
    path = folder / "accounts.toml"
    path.write_text(
        "".join(
            f'[[account]]\nappid = "{appid}"\nkind = "oa"\noriginal_id = "gh_{appid[-12:]}"\n'
            f'appsecret = "a-secret-of-the-test"\ntoken = "token{appid[-1]}"\n'
            f'encoding_aes_key = "{"A" * 43}"\n'
            for appid in appids
        )
    )
    return path


def settings_of_accounts(database_url: str, folder: Path, appids: Sequence[str]) -> Settings:
    return settings_for(
        database_url,
        folder,
        wechat_api_timeout_seconds=60,  # a busy machine is no slow WeChat
        accounts_file=accounts_file(folder, appids),
        **dict.fromkeys(
            f"wechat_{name}"
            for name in ("appid", "original_id", "appsecret", "token", "encoding_aes_key")
        ),
    )


async def test_no_account_delays_another_one_and_short_windows_go_first(
    database_url: str, tmp_path: Path, connection: asyncpg.Connection
) -> None:
    refused = {"REFUSED": f"{WITHOUT_RIGHT}=48001,{WITHOUT_QUOTA}=45009"}
    settings = settings_of_accounts(database_url, tmp_path, ACCOUNTS)
    for appid in (WITHOUT_RIGHT, WITHOUT_QUOTA, BUSY):
        await Backlog(appid, "days", BACKLOG).store(connection)
    with (
        stand_in(**refused) as wechat,
        workers(settings.model_copy(update={"wechat_api_base_url": wechat})),
    ):
        async with httpx.AsyncClient(base_url=wechat, trust_env=False) as client:

            async def sent() -> list[tuple[float, str, str]]:
                found: list[tuple[float, str, str]] = (await client.get("/sent")).json()
                return found

            async def begun() -> bool:
                running = await connection.fetchval("SELECT count(*) FROM worker_heartbeats")
                return running == WORKERS and len(await sent()) >= BEFORE

            await eventually(begun, "both workers to send", within=60)
            await Backlog(QUIET, "quiet", FEW).store(connection)
            await Backlog(BUSY, "minute", FEW, timedelta(minutes=1)).store(connection)

            async def all_came() -> bool:
                names = Counter(openid.split("_")[0] for _, _, openid in await sent())
                return names["oquiet"] == names["ominute"] == FEW

            await eventually(all_came, "the few cards to be sent", within=60)
            ledger = [openid.split("_")[0] for _, _, openid in await sent()]
            calls = (await client.get("/refused")).json()

    # In the order of the jobs each of them would come behind the whole backlog.
    for name in ("oquiet", "ominute"):
        last = max(place for place, found in enumerate(ledger) if found == name)
        assert ledger[:last].count("odays") < BACKLOG / 2
    # What was under way when the first refusal came, and no more.
    assert calls.keys() == {WITHOUT_RIGHT, WITHOUT_QUOTA}
    assert max(calls.values()) <= 2 * WORKERS * SENDS_OF_ACCOUNT
