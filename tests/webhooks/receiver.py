"""An endpoint of another system: a real server on loopback that keeps what it is sent."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson
import uvicorn
from standardwebhooks import Webhook
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.processes import free_port
from tests.waiting import eventually


@dataclass(frozen=True)
class Received:
    """One request as it came."""

    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        """Its webhook-id."""
        return self.headers["webhook-id"]

    @property
    def json(self) -> dict[str, Any]:
        """Its payload."""
        found: dict[str, Any] = orjson.loads(self.body)
        return found

    def verified_with(self, secret: str) -> dict[str, Any]:
        """Its payload, verified by the library as a receiver does it."""
        found: dict[str, Any] = Webhook(secret).verify(self.body, self.headers)
        return found


@dataclass
class Receiver:
    """answers: for the next requests, in turn; then `by_type`, of events; else `always`."""

    port: int
    received: list[Received] = field(default_factory=list)
    answers: deque[Response] = field(default_factory=deque)
    by_type: dict[str, Response] = field(default_factory=dict)
    always: Response = field(default_factory=Response)
    holding: asyncio.Event | None = None

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}/hooks"

    @property
    def types(self) -> list[str]:
        """Of what it received, in order."""
        return [one.json["type"] for one in self.received]

    async def answer(self, request: Request) -> Response:
        """Keep a request and answer it; with `holding`, once that is set."""
        self.received.append(Received(dict(request.headers), await request.body()))
        if self.holding is not None:
            await self.holding.wait()
        if self.answers:
            return self.answers.popleft()
        return self.by_type.get(self.types[-1], self.always) if self.by_type else self.always


@asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    """Run a receiver on a free port."""
    receiver = Receiver(free_port())
    app = Starlette(routes=[Route("/hooks", receiver.answer, methods=["POST", "GET"])])
    server = uvicorn.Server(
        uvicorn.Config(
            app, port=receiver.port, lifespan="off", ws="none", log_config=None, access_log=False
        )
    )
    running = asyncio.create_task(server.serve())

    async def started() -> bool:
        return server.started

    await eventually(started)
    yield receiver
    if receiver.holding is not None:
        receiver.holding.set()
    server.should_exit = True
    await running
