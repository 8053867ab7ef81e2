"""A TCP address of the test's Postgres that lets nobody in until it is opened."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Self
from urllib.parse import parse_qs, urlsplit


class Gate:
    """Holds every connection until `open`, then passes it on to the Postgres of `socket`.

    url: the same database, through this gate.
    """

    def __init__(self, socket: str) -> None:
        self.url = ""
        self._socket = socket
        self._opened = asyncio.Event()
        self._held: set[asyncio.Task[None]] = set()
        self._times_muted = 0

    @classmethod
    @asynccontextmanager
    async def before(cls, database_url: str) -> AsyncIterator[Self]:
        """Yield a gate before a database that is reached through a Unix socket."""
        address = urlsplit(database_url)
        gate = cls(f"{parse_qs(address.query)['host'][0]}/.s.PGSQL.5432")
        server = await asyncio.start_server(gate._hold, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        gate.url = f"postgresql://{address.username}@127.0.0.1:{port}{address.path}"
        try:
            yield gate
        finally:
            server.close()
            for task in gate._held:
                task.cancel()
            await asyncio.gather(*gate._held)

    async def is_knocked_at(self) -> bool:
        """Tell whether somebody waits to be let in."""
        return bool(self._held)

    def open(self) -> None:
        """Let in who waits and who comes."""
        self._opened.set()

    def mute(self) -> None:
        """Leave who is inside connected, with nothing said or heard any more; let in who comes.

        So a fail-over looks that told nobody.
        """
        self._times_muted += 1

    async def _hold(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._held.add(task)
        # Cancelled at the end only; asyncio's streams complain of a callback that says so.
        with suppress(ConnectionError, asyncio.CancelledError):
            await self._opened.wait()
            inner_reader, inner_writer = await asyncio.open_unix_connection(self._socket)
            await asyncio.gather(
                self._pass_on(reader, inner_writer), self._pass_on(inner_reader, writer)
            )
        writer.close()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        times_muted = self._times_muted
        try:
            while chunk := await reader.read(65536):
                if times_muted == self._times_muted:
                    writer.write(chunk)
                    await writer.drain()
        finally:
            writer.close()
