"""A push by hand over a bare connection, to stop in the middle of it."""

import asyncio
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

from simulator.accounts import Account
from simulator.clock import MovableClock
from simulator.documents import write
from simulator.envelopes import new_stamp, seal
from simulator.push_request import PushRequest

ANSWER_SECONDS = 10


@dataclass(frozen=True, slots=True)
class Begun:
    """A request whose head the service has read: it waits for the body."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    body: bytes

    async def finish(self) -> int:
        """Send the body and return the status of the answer."""
        async with asyncio.timeout(ANSWER_SECONDS):
            self.writer.write(self.body)
            await self.writer.drain()
            line = await self.reader.readline()
        self.writer.close()
        return int(line.split()[1])


async def begin_push(url: str, account: Account, openid: str, msg_id: int) -> Begun:
    """Send the head of a push, and return once the service asks for the body.

    `100 Continue` comes when the application reads: the request is accepted for certain.
    """
    now = MovableClock().wall()
    request = PushRequest(openid=openid, text="hi", msg_id=msg_id)
    members = request.members(account.original_id, int(now.timestamp()), msg_id)
    envelope = seal(write(members, account.format), account, openid, new_stamp(now))
    head = (
        f"POST /callback/{account.appid}?{urlencode(envelope.query)} HTTP/1.1\r\n"
        f"Host: service\r\nContent-Length: {len(envelope.body)}\r\nExpect: 100-continue\r\n\r\n"
    )
    address = urlsplit(url)
    async with asyncio.timeout(ANSWER_SECONDS):
        reader, writer = await asyncio.open_connection(address.hostname, address.port)
        writer.write(head.encode())
        await writer.drain()
        answer = await reader.readuntil(b"\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 100"), answer
    return Begun(reader, writer, envelope.body)
