"""Measures what open consoles cost a callback, as a ratio within one run.

`python -m benchmarks.open_consoles` fills a temporary Postgres, starts `oa-bridge serve` with two
web processes, and sends callbacks to it in pairs of turns: once while 50 browsers have a live list
of messages open, and once while none has. Which turn of a pair comes first changes with each pair,
so that what grows or disturbs one disturbs the other. It prints each pair and the median of their
ratios, and fails if the median is below the aim. A turn in which a list was closed does not count.
"""

import argparse
import asyncio
import selectors
import socket
import statistics
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from app.console.session_cookie import LOOPBACK_NAME
from benchmarks import load_client, servers
from benchmarks.console import RULES, prepare
from benchmarks.history_reading import temporary_postgres
from benchmarks.load_client import Load
from benchmarks.turns import Turns

AIM: Final = 0.95


class ListClosed(Exception):
    """A live list was not opened, or ended while callbacks were measured."""


@dataclass(slots=True)
class Lists:
    """Live lists that are open. received: bytes that they sent."""

    number: int
    received: int = 0
    closed: int = 0
    ended: threading.Event = field(default_factory=threading.Event)


@dataclass(frozen=True, slots=True)
class Pair:
    """The same load without and with open lists."""

    without: Load
    with_lists: Load

    @property
    def ratio(self) -> float:
        """Callbacks per second with open lists, of those without."""
        return self.with_lists.per_second / self.without.per_second


@contextmanager
def looking(port: int, secret: str, number: int) -> Iterator[Lists]:
    """Have so many live lists of messages open, which a thread reads. Raises ListClosed."""
    lists = Lists(number)
    request = (
        f"GET /console/messages/stream HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
        f"Cookie: {LOOPBACK_NAME}={secret}\r\nAccept: text/event-stream\r\n\r\n"
    ).encode()
    with ExitStack() as stack, selectors.DefaultSelector() as selector:
        for _ in range(number):
            connection = stack.enter_context(socket.create_connection(("127.0.0.1", port)))
            connection.sendall(request)
            if not connection.recv(65536).startswith(b"HTTP/1.1 200"):
                raise ListClosed
            selector.register(connection, selectors.EVENT_READ)
        reading = threading.Thread(target=_read_all, args=(selector, lists))
        reading.start()
        try:
            yield lists
        finally:
            lists.ended.set()
            reading.join()
    if lists.closed:
        raise ListClosed


def _read_all(selector: selectors.BaseSelector, lists: Lists) -> None:
    while not lists.ended.is_set():
        for key, _ in selector.select(0.1):
            connection = key.fileobj
            if not isinstance(connection, socket.socket):
                continue
            content = connection.recv(1 << 20)
            lists.received += len(content)
            if not content:
                lists.closed += 1
                selector.unregister(connection)
        if not selector.get_map():
            lists.ended.wait()


@dataclass(frozen=True, slots=True)
class Bench:
    """What all turns share."""

    turns: Turns
    port: int
    secret: str

    def turn(self, number: int, consoles: int) -> tuple[Load, int]:
        """Send callbacks for some seconds; return the load, and the bytes that lists received."""
        with looking(self.port, self.secret, consoles) as lists:
            load = self.turns.load(self.port, number)
        return load, lists.received

    def pair(self, number: int, consoles: int) -> Pair:
        """Measure both ways, in an order that changes, and print them."""
        order = (0, consoles) if number % 2 else (consoles, 0)
        found = {one: self.turn(2 * number + place, one) for place, one in enumerate(order)}
        pair = Pair(found[0][0], found[consoles][0])
        print(
            f"| {number} | {pair.without.per_second:,.0f} | {pair.with_lists.per_second:,.0f} "
            f"| {pair.ratio:.3f} | {pair.without.p99_ms:.1f} | {pair.with_lists.p99_ms:.1f} "
            f"| {found[consoles][1] / 1e6:.1f} |",
            flush=True,
        )
        return pair


def main() -> None:
    """Read the options and run."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rows", type=int, default=100_000, help="stored callbacks")
    options.add_argument("--consoles", type=int, default=50)
    options.add_argument("--pairs", type=int, default=7)
    options.add_argument("--seconds", type=float, default=3.0, help="of one turn")
    chosen = options.parse_args()
    with temporary_postgres() as url, tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        secret, _ = asyncio.run(prepare(url, chosen.rows))
        program = load_client.build(folder)
        with servers.service(folder / "serve", url) as server:
            turns = Turns(program, folder, RULES, chosen.seconds)
            bench = Bench(turns, server.port, secret)
            bench.turn(0, chosen.consoles)  # warms everything up
            print("| pair | per s without | with | ratio | p99 ms without | with | MB to lists |")
            print("|---|---|---|---|---|---|---|")
            pairs = [bench.pair(number + 1, chosen.consoles) for number in range(chosen.pairs)]
    ratio = statistics.median(pair.ratio for pair in pairs)
    print(f"\nWith {chosen.consoles} open consoles: {ratio:.3f} of the callbacks per second.")
    if ratio < AIM:
        sys.exit(f"the aim is {AIM}")


if __name__ == "__main__":
    main()
