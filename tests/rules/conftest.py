"""Fixtures for rules: the routes over a real database."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI, Request, Response
from starlette.middleware.base import RequestResponseEndpoint

from app.access.actor import Actor, ActorKind
from app.access.caller import Caller
from app.clock import SystemClock
from app.db.engine import Database
from app.rules.http.router import router
from tests.rules.makers import settings_with
from tests.service import clock, service, settings

__all__ = ["clock", "service", "settings"]

CALLER = Actor(ActorKind.ADMIN_TOKEN, "0a1b2c3d", "192.0.2.1")


@pytest.fixture
def api(database: Database, tmp_path: Path) -> FastAPI:
    """The routes of the rules room alone."""
    app = FastAPI()
    app.state.database = database
    app.state.settings = settings_with(tmp_path)
    app.state.clock = SystemClock()
    app.include_router(router)

    @app.middleware("http")
    async def let_in(request: Request, call_next: RequestResponseEndpoint) -> Response:
        request.state.caller = Caller.with_every_scope(CALLER)
        return await call_next(request)

    return app


@pytest.fixture
async def client(api: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """A client of them."""
    transport = httpx.ASGITransport(api)
    async with httpx.AsyncClient(transport=transport, base_url="http://service") as opened:
        yield opened
