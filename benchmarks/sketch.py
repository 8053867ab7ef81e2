"""(d) A sketch in FastAPI: verifies, decrypts, commits in groups, and then answers `success`."""

import asyncio
import hmac
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from fastapi import FastAPI, Request
from fastapi.responses import PlainTextResponse

from app.db.engine import connect
from app.settings import load_settings
from benchmarks.peer import sign, unseal

MEMBERS: Final = re.compile(
    rb"<FromUserName><!\[CDATA\[(.*?)\]\]>.*<Content><!\[CDATA\[(.*?)\]\]>.*<MsgId>(\d+)<",
    re.DOTALL,
)
ENCRYPT: Final = re.compile(rb"<Encrypt><!\[CDATA\[(.*?)\]\]>")
INSERT: Final = """
INSERT INTO sketch (msgid, openid, content)
SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[])
ON CONFLICT DO NOTHING
"""

Message = tuple[int, str, str]


class Writer:
    """Commits what has arrived, in one statement at a time."""

    def __init__(self) -> None:
        self._waiting: list[tuple[Message, asyncio.Future[None]]] = []
        self._arrived = asyncio.Event()

    async def store(self, message: Message) -> None:
        """Return once `message` is committed."""
        stored: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((message, stored))
        self._arrived.set()
        await stored

    async def run(self, url: str) -> None:
        """Store until cancelled."""
        connection = await connect(url)
        insert = await connection.prepare(INSERT)
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            batch, self._waiting = self._waiting, []
            await insert.fetch(*zip(*(message for message, _ in batch), strict=True))
            for _, stored in batch:
                stored.set_result(None)


def build() -> FastAPI:
    """Return the application; uvicorn calls this as its factory."""
    writer = Writer()

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        running = asyncio.create_task(writer.run(load_settings().database_url))
        yield
        running.cancel()

    app = FastAPI(lifespan=lifespan)

    @app.post("/callback/{appid}")
    async def callback(request: Request, appid: str) -> PlainTextResponse:  # noqa: ARG001  # one account
        query = request.query_params
        found = ENCRYPT.search(await request.body())
        encrypt = found[1].decode() if found else ""
        expected = sign(query["timestamp"], query["nonce"], encrypt)
        if not hmac.compare_digest(expected, query["msg_signature"]):
            return PlainTextResponse("forbidden", 403)
        members = MEMBERS.search(unseal(encrypt))
        if members is None:
            return PlainTextResponse("bad request", 400)
        await writer.store((int(members[3]), members[1].decode(), members[2].decode()))
        return PlainTextResponse("success")

    return app
