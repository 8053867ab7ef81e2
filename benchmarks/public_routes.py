"""Measures `/go/{slug}` and `/jssdk/{appid}` as ratios of an empty FastAPI route within one run.

`python -m benchmarks.public_routes` starts a temporary Postgres, the empty route and `oa-bridge
serve`, each with two web processes, and loads them in turns. The order is reversed each round, so
that a drift of the machine favours no route. It prints the medians, and fails below an aim.
"""

import argparse
import asyncio
import random
import statistics
import struct
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final
from urllib.parse import quote

from app.access.actor import Actor, ActorKind
from app.clock import SystemClock
from app.db import migrate
from app.db.engine import open_database
from app.jssdk import ticket_store
from app.jssdk.ticket_store import Ticket
from app.links import store
from app.links.schemas import LinkIn
from app.secret_box import SecretBox
from app.wechat.ids import AppId
from benchmarks import load_client, servers
from benchmarks.cpu import cpu_seconds
from benchmarks.history_reading import temporary_postgres
from benchmarks.peer import APPID
from benchmarks.servers import JS_SAFE_DOMAIN, Server

CONNECTIONS: Final = 64
# More than any machine so far answers in a second.
REQUESTS_PER_SECOND: Final = 30_000
SLUG: Final = "summer26"
PHONE: Final = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 Mobile"
PAGE: Final = f"https://{JS_SAFE_DOMAIN}/summer?from=singlemessage"


@dataclass(frozen=True, slots=True)
class Route:
    """What is asked. status: of every response. aim: share of the requests of the empty route."""

    name: str
    target: str
    status: int
    aim: float
    method: str = "GET"
    header: str = ""


EMPTY: Final = Route("empty", f"/callback/{APPID}", 200, 1.0, "POST", "Content-Length: 0\r\n")
GO: Final = Route("go", f"/go/{SLUG}", 302, 0.6)
JSSDK: Final = Route(
    "jssdk",
    f"/jssdk/{APPID}?url={quote(PAGE, safe='')}",
    200,
    0.4,
    header=f"Origin: https://{JS_SAFE_DOMAIN}\r\n",
)
ROUTES: Final = (EMPTY, GO, JSSDK)


@dataclass(frozen=True, slots=True)
class Turn:
    """One load. cpu_ms: CPU of the web processes for each request."""

    per_second: float
    cpu_ms: float


@dataclass(frozen=True, slots=True)
class Bench:
    """What all turns share."""

    program: Path
    folder: Path
    seconds: float

    def turn(self, route: Route, server: Server) -> Turn:
        """Load one route. Every request comes from another visitor."""
        requests, samples = self.folder / "requests", self.folder / "samples"
        _write(requests, route, int(self.seconds * REQUESTS_PER_SECOND))
        before = cpu_seconds(server.pid)
        load = load_client.run(
            self.program,
            requests,
            samples,
            port=server.port,
            connections=CONNECTIONS,
            seconds=self.seconds,
        )
        cpu = cpu_seconds(server.pid) - before
        wrong = [status for status in _statuses(samples) if status != route.status]
        if wrong or load.errors or load.unfinished:
            sys.exit(f"{route.name}: statuses {wrong[:5]}, {load.errors} failed")
        return Turn(load.per_second, cpu * 1000 / load.answered)

    def rounds(self, number: int, running: dict[Route, Server]) -> dict[Route, list[Turn]]:
        """Load all routes in turns, after one round that warms up and is not counted."""
        turns: dict[Route, list[Turn]] = {route: [] for route in ROUTES}
        for one in range(number + 1):
            for route in ROUTES if one % 2 else reversed(ROUTES):
                turn = self.turn(route, running[route])
                if one:
                    turns[route].append(turn)
        return turns


def _write(path: Path, route: Route, count: int) -> None:
    draw = random.Random(count)
    with path.open("wb") as file:
        for _ in range(count):
            visitor = ".".join(str(draw.randrange(1, 255)) for _ in range(4))
            request = (
                f"{route.method} {route.target} HTTP/1.1\r\nHost: oa.example.com\r\n"
                f"User-Agent: {PHONE}\r\nX-Forwarded-For: {visitor}\r\n{route.header}\r\n"
            ).encode()
            file.write(struct.pack("<I", len(request)) + request)


def _statuses(samples: Path) -> Iterator[int]:
    content = samples.read_bytes()
    place = 0
    while place < len(content):
        _, status, length = struct.unpack_from("<III", content, place)
        place += 12 + length
        yield status


async def _fill(url: str) -> None:
    database = open_database(url)
    await migrate.upgrade(database.engine)
    now = SystemClock().now()
    link_in = LinkIn(
        slug=SLUG, name="Summer", appid=APPID, path="pages/index", query="from={link}&ref={ref}"
    )
    async with database.sessions.begin() as session:
        link = await store.add(session, Actor(ActorKind.CLI, "benchmark"), link_in, now)
        link.url_link = "https://wxaurl.cn/benchmark"
        link.url_link_revision = link.revision
        link.url_link_expires_at = now + timedelta(days=30)
        link.renew_at = now + timedelta(days=20)
        ticket = Ticket("a" * 86, now, now + timedelta(hours=2))
        await ticket_store.save(session, SecretBox(None), AppId(APPID), ticket)
    await database.close()


@contextmanager
def _running(folder: Path, url: str) -> Iterator[dict[Route, Server]]:
    with (
        servers.bare("benchmarks.empty_route:build", folder / "empty", url) as empty,
        servers.service(folder / "serve", url) as service,
    ):
        yield {EMPTY: empty, GO: service, JSSDK: service}


def _print(turns: dict[Route, list[Turn]]) -> dict[Route, float]:
    """Print the medians; return the share of the requests of the empty route."""
    print("| route | per s | of the empty route | ms of web CPU a request |\n|---|---|---|---|")
    shares = {route: _share(found, turns[EMPTY]) for route, found in turns.items()}
    for route, found in turns.items():
        per_second = statistics.median(turn.per_second for turn in found)
        cpu = statistics.median(turn.cpu_ms for turn in found)
        print(f"| {route.name} | {per_second:,.0f} | {shares[route]:.2f} | {cpu:.3f} |")
    return shares


def _share(turns: Sequence[Turn], empty: Sequence[Turn]) -> float:
    pairs = zip(turns, empty, strict=True)
    return statistics.median(turn.per_second / bare.per_second for turn, bare in pairs)


def main() -> None:
    """Read the options and run."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--seconds", type=float, default=2.0, help="of one turn")
    chosen = options.parse_args()
    with temporary_postgres() as url, tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        asyncio.run(_fill(url))
        bench = Bench(load_client.build(folder), folder, chosen.seconds)
        with _running(folder, url) as running:
            turns = bench.rounds(chosen.rounds, running)
    shares = _print(turns)
    missed = [route for route in ROUTES if shares[route] < route.aim]
    if missed:
        sys.exit("; ".join(f"the aim of {route.name} is {route.aim}" for route in missed))


if __name__ == "__main__":
    main()
