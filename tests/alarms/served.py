"""Serves an application on a free loopback port while a test runs."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
from starlette.types import ASGIApp

from tests.processes import free_port
from tests.waiting import eventually


@asynccontextmanager
async def served(app: ASGIApp) -> AsyncIterator[str]:
    """Yield the address of a server of this application, such as `http://127.0.0.1:20000`."""
    port = free_port()
    server = uvicorn.Server(
        uvicorn.Config(app, port=port, lifespan="off", ws="none", log_config=None, access_log=False)
    )
    running = asyncio.create_task(server.serve())

    async def started() -> bool:
        return server.started

    await eventually(started)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    await running
