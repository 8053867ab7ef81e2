"""A load balancer in front of the web services, which tries the next one when one is down."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Self

CHUNK_BYTES = 65536


class Balancer:
    """Passes connections on to the first port that is up. url: where it listens."""

    def __init__(self, ports: Sequence[int]) -> None:
        self.url = ""
        self._ports = ports
        self._open: set[asyncio.Task[None]] = set()

    @classmethod
    @asynccontextmanager
    async def before(cls, ports: Sequence[int]) -> AsyncIterator[Self]:
        """Yield a balancer that listens."""
        balancer = cls(ports)
        server = await asyncio.start_server(balancer._serve, "127.0.0.1", 0, backlog=1024)
        balancer.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        try:
            yield balancer
        finally:
            server.close()
            for task in balancer._open:
                task.cancel()
            await asyncio.gather(*balancer._open, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        # Cancelled at the end only; asyncio's streams complain of a callback that says so.
        with suppress(OSError, asyncio.CancelledError):
            inner_reader, inner_writer = await self._connect()
            await asyncio.gather(_pass_on(reader, inner_writer), _pass_on(inner_reader, writer))
        writer.close()
        self._open.discard(task)

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        for port in self._ports:
            with suppress(OSError):
                return await asyncio.open_connection("127.0.0.1", port)
        raise ConnectionRefusedError


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while chunk := await reader.read(CHUNK_BYTES):
            writer.write(chunk)
            await writer.drain()
    finally:
        writer.close()
