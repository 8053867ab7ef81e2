"""Measures the console: the server's time for each page.

`python -m benchmarks.console` fills a temporary Postgres with 10,000 rules and 1,000,000 callbacks
of the last 30 days. Then it opens each page and prints the median of its times, how often the time
of a page that reads nothing this is, and the CPU time of the page in the web process and in
Postgres together, which says more on a machine that does other things as well. It fails if that is
more than 100 ms for a page. `benchmarks.open_consoles` measures what open consoles cost a callback.
"""

import argparse
import asyncio
import random
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx
import psutil
from pydantic import SecretStr

from app.access import operators, sessions
from app.access.actor import Actor, ActorKind
from app.access.roles import Role
from app.clock import SystemClock
from app.console.followers.references import references
from app.console.session_cookie import SECURE_NAME
from app.db.engine import connect, open_database
from app.funnel.make_sums import make_sums
from app.funnel.steps import Basis
from app.growth.count import MAX_EVENTS, MAX_ROUNDS, count_new
from app.main import create_app
from app.settings import Settings
from benchmarks import database, outreach_fill, peer
from benchmarks.console_fill import FILL, fill
from benchmarks.cpu import cpu_seconds
from benchmarks.history_reading import FAST_WRITES, temporary_postgres
from benchmarks.keywords import Keywords

RULES: Final = 10_000
MAX_MS: Final = 100.0
TIMES: Final = 9
# A page that does not exist has the frame of every page, and reads nothing but the session.
EMPTY: Final = "/nothing"
BASIS: Final = Basis("Asia/Shanghai", 7, 30)
PAGES: Final = (
    "/today",
    "/rules",
    "/rules?tab=keywords",
    "/rules?q=%E6%98%A5",
    "/rules/new",
    "/rules/5000",
    "/rules/5000/history",
    "/rules/conflicts",
    "/rules/try",
    "/rules/try?text=what+is+17",
    "/rules/import",
    "/messages",
    "/messages?text=what+is+17",
    "/messages?text=nowhere",
    "/messages?rule=17",
    "/messages/{callback}",
    "/messages/words",
    "/messages/words?days=7",
    "/messages/retries",
    "/messages/retries/new",
    "/followers",
    "/followers?following=no",
    "/followers/person/{person}",
    "/followers/growth",
    "/followers/growth?days=30",
    "/followers/erasures",
    "/subscriptions?days=30",
    "/subscriptions/recipients",
    "/subscriptions/recipients?appid={appid}&template=TPL7",
    "/funnel",
    "/funnel?by=rule&days=30",
    "/funnel?by=rule&door=17&days=30",
    "/funnel/retention",
    "/figures?days=30",
    "/figures/notes",
    "/arrivals",
    "/arrivals?door=link&basis=ref",
    "/menus",
    "/menus?appid={appid}&button=1",
    "/menus/taps?appid={appid}",
    "/qrcodes",
    "/qrcodes/{qrcode}",
    "/links",
    "/links/{link}",
    "/links/{link}/edit",
    "/articles",
    "/notices",
    "/notices/new?appid={appid}&template=TPL7",
    "/notices/sends/{send}",
    "/notices/sends/{send}?status=failed",
    "/campaigns",
    "/campaigns/{campaign}",
    "/campaigns/{campaign}/edit",
    "/tags",
    "/tags/{appid}/107",
    "/tags/runs/{run}",
    "/alarms",
    "/alarms/thresholds/no_push",
    "/webhooks",
    "/webhooks/{webhook}",
    "/doctor",
    "/operators",
    "/operators/sessions",
    "/operators/tokens",
    "/audit",
    "/settings",
)


async def prepare(url: str, rows: int) -> tuple[str, dict[str, str]]:
    """Fill the database; return the secret of an owner's session, and the ids in addresses."""
    await database.fill(url, Keywords.draw(RULES, random.Random(1)))
    connection = await connect(url)
    for statement in FAST_WRITES:
        await connection.execute(statement)
    await connection.execute("SET maintenance_work_mem = '512MB'")
    # The trigger would add an identity event for each row, which takes very long.
    await connection.execute("ALTER TABLE openids DISABLE TRIGGER USER")
    for table in FILL:
        await fill(connection, table, rows, peer.APPID, max(rows // 10, 1))
    await connection.execute("SELECT setval('history_position', $1)", rows)
    callback = await connection.fetchval("SELECT id FROM callbacks ORDER BY id DESC LIMIT 1")
    ids = await outreach_fill.fill(connection, peer.APPID)
    opened = open_database(url)
    await make_sums(opened.sessions, BASIS)
    await connection.execute("VACUUM ANALYZE", timeout=3600)
    await connection.close()
    began = time.monotonic()
    for _ in range(rows // (MAX_EVENTS * MAX_ROUNDS) + 1):
        await count_new(opened.sessions)
    print(f"sums of growth: {time.monotonic() - began:.0f} s", file=sys.stderr)
    now = SystemClock().now()
    async with opened.sessions.begin() as session:
        owner = await operators.add(
            session, Actor(ActorKind.CLI, "cli"), "owner", Role.OWNER, now=now
        )
        secret = await sessions.start(session, owner, address=None, user_agent=None, now=now)
        reference = (await references(session, settings_of(url, Path()))).make(peer.APPID, "o7")
    await opened.close()
    return secret, ids | {"callback": str(callback), "person": reference, "appid": peer.APPID}


def settings_of(url: str, folder: Path) -> Settings:
    """Return the settings of the account that is measured."""
    return Settings(
        _env_file=None,
        database_url=url,
        data_dir=folder,
        wechat_appid=peer.APPID,
        wechat_token=peer.TOKEN,
        wechat_encoding_aes_key=peer.ENCODING_AES_KEY,
        wechat_appsecret=SecretStr("0" * 32),
    )


@asynccontextmanager
async def browser(url: str, folder: Path, secret: str) -> AsyncIterator[httpx.AsyncClient]:
    """Run the web application in this process; yield a client that is signed in."""
    app = create_app(settings_of(url, folder), SystemClock())
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(
            transport=httpx.ASGITransport(app),
            base_url="https://console.example/console",
            cookies={SECURE_NAME: secret},
            timeout=60,
        ) as http,
    ):
        yield http


class PageFailed(Exception):
    """A page has another status than it should have."""


@dataclass(frozen=True, slots=True)
class Times:
    """The times of one page in ms. cpu: the mean, of the web process and of Postgres."""

    taken: Sequence[float]
    cpu: float

    @property
    def median(self) -> float:
        """The time of a usual request."""
        return statistics.median(self.taken)


async def time_page(
    http: httpx.AsyncClient, path: str, postmaster: int, status: int = 200
) -> Times:
    """Return the times of a page. The first one is left out: it fills what is remembered."""
    await _open(http, path, status)
    taken = []
    cpu = time.process_time() + cpu_seconds(postmaster)
    for _ in range(TIMES):
        began = time.perf_counter()
        await _open(http, path, status)
        taken.append((time.perf_counter() - began) * 1000)
    spent = time.process_time() + cpu_seconds(postmaster) - cpu
    return Times(taken, spent / TIMES * 1000)


async def _open(http: httpx.AsyncClient, path: str, status: int) -> None:
    answer = await http.get(path)
    if answer.status_code != status:
        raise PageFailed(answer.status_code)


async def measure_pages(url: str, folder: Path, secret: str, ids: dict[str, str]) -> bool:
    """Print the time of each page; return whether all are fast enough."""
    good = True
    connection = await connect(url)
    backend = psutil.Process(await connection.fetchval("SELECT pg_backend_pid()"))
    postmaster = backend.ppid()
    await connection.close()
    async with browser(url, folder, secret) as http:
        empty = await time_page(http, EMPTY, postmaster, 404)
        print(f"A page that reads nothing: {empty.median:.1f} ms, {empty.cpu:.1f} ms of CPU.\n")
        print("| page | median | of the empty page | CPU |\n|---|---|---|---|")
        for page in PAGES:
            try:
                times = await time_page(http, page.format(**ids), postmaster)
            except PageFailed as failed:
                good = False
                print(f"| `{page}` | status {failed} | | |")
                continue
            good &= times.cpu <= MAX_MS
            ratio = times.median / empty.median
            print(f"| `{page}` | {times.median:.0f} ms | {ratio:.1f} | {times.cpu:.0f} ms |")
    return good


def main() -> None:
    """Read the options and run."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rows", type=int, default=1_000_000)
    chosen = options.parse_args()
    with temporary_postgres() as url, tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        secret, ids = asyncio.run(prepare(url, chosen.rows))
        good = asyncio.run(measure_pages(url, folder, secret, ids))
    if not good:
        sys.exit(f"a page took more than {MAX_MS:.0f} ms")


if __name__ == "__main__":
    main()
