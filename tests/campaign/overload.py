"""Five times as many pushes at once as the service lets in."""

import asyncio
import struct
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlencode

from benchmarks import load_client
from benchmarks.load_client import Load
from simulator.clock import MovableClock
from simulator.demo import ACCOUNT
from simulator.documents import write
from simulator.envelopes import new_stamp, seal
from tests.campaign.deployment import Deployment, Shape, deployed
from tests.campaign.figures import Figures
from tests.campaign.options import Options
from tests.e2e.peer import FIRST_MSG_ID, person

WAITING = 200
TIMES = 5
# As many as are let in: the most that can be under way at once without waiting.
BEST_CONNECTIONS = WAITING
SECONDS = 8.0
# More than one service of one process answers in the time, refusals included.
PUSHES = 60_000
SHAPE = Shape(webs=1, workers=0, settings={"INBOX_MAX_WAITING": str(WAITING)})


async def run(options: Options) -> Figures:
    """Measure the best goodput, then that under five times the permitted pushes at once.

    The load generator of the benchmark pushes, since the simulator would be the bottleneck. It
    does not repeat a push, and counts responses instead of keeping a ledger.
    """
    async with deployed(SHAPE, options) as deployment:
        with TemporaryDirectory(prefix="oab-load-") as name:
            folder = Path(name)
            client = await asyncio.to_thread(load_client.build, folder)
            best = await _measure(deployment, client, folder, "best", BEST_CONNECTIONS)
            crowd = await _measure(deployment, client, folder, "crowd", WAITING * TIMES)
            recovery = await deployment.recovered()
            return await _figures(deployment, best, crowd, recovery)


async def _measure(
    deployment: Deployment, client: Path, folder: Path, group: str, connections: int
) -> Load:
    requests = folder / group
    await asyncio.to_thread(_write, requests, group)
    port = deployment.stack.webs[0].port
    assert port is not None
    return await asyncio.to_thread(
        load_client.run,
        client,
        requests,
        folder / "samples",
        port=port,
        connections=connections,
        seconds=SECONDS,
    )


async def _figures(
    deployment: Deployment, best: Load, crowd: Load, recovery: float | None
) -> Figures:
    stored = await deployment.stack.tables.callbacks()
    sent = best.answered + crowd.answered + best.unfinished + crowd.unfinished
    acknowledged = best.answered + crowd.answered - best.non200 - crowd.non200
    share = _goodput(crowd) / _goodput(best)
    return Figures(
        sent=sent,
        acknowledged=acknowledged,
        lost=max(0, acknowledged - len(stored)),
        doubled=stored.total() - len(stored),
        cards_missing=0,
        cards_doubled=0,
        worst=crowd.max_ms / 1000,
        goodput=_goodput(crowd),
        recovery=recovery,
        notes=(
            f"best goodput {_goodput(best):.0f}/s",
            f"{share:.0%} of it",
            f"p99 {crowd.p99_ms / 1000:.2f} s",
            "no retries, no worker",
        ),
    )


def _goodput(load: Load) -> float:
    return load.per_second * (1 - load.non200 / load.answered)


def _write(path: Path, group: str) -> None:
    """Write PUSHES pushes of one text each in the form that the load generator reads."""
    with path.open("wb") as file:
        for request in _requests(group):
            file.write(struct.pack("<I", len(request)) + request)


def _requests(group: str) -> Iterator[bytes]:
    first = FIRST_MSG_ID + time.time_ns() // 1000
    for number in range(PUSHES):
        now = MovableClock().wall()
        document = {
            "ToUserName": ACCOUNT.original_id,
            "FromUserName": person(number, group),
            "CreateTime": int(now.timestamp()),
            "MsgType": "text",
            "Content": "你好",
            "MsgId": first + number,
        }
        text = write(document, ACCOUNT.format)
        envelope = seal(text, ACCOUNT, person(number, group), new_stamp(now))
        head = (
            f"POST /callback/{ACCOUNT.appid}?{urlencode(envelope.query)} HTTP/1.1\r\n"
            f"Host: 127.0.0.1\r\nContent-Type: {envelope.content_type}\r\n"
            f"Content-Length: {len(envelope.body)}\r\n\r\n"
        )
        yield head.encode() + envelope.body
