"""A small application with the operations' routes, and plain values in the place of its rooms."""

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
from fastapi import APIRouter, Depends, FastAPI

from app.access.scopes import ApiScope
from app.access.token_cache import KnownToken
from app.callback.spool import SpoolStatus
from app.clock import SystemClock
from app.db.engine import Database, open_database
from app.ops import docs, health, metrics_endpoint
from app.ops.api_gate import ApiGate, Tokens
from app.ops.auth import require_caller
from app.ops.mini_program_check import MiniProgramCheck
from app.rules.definition.triggers import FallbackTrigger
from app.rules.matching.rule_set import Rule, RuleSet, compile_rules
from app.settings import Settings

APPID = "wx1f2e3d4c5b6a7980"
MINI_PROGRAM = "wxabcdef0123456789"
SECRET = "appsecret-that-nobody-may-see"


def rule_set(count: int = 3, version: int = 7) -> RuleSet:
    """A set of fallback rules."""
    trigger = FallbackTrigger(on="fallback")
    rules = [Rule(number, "", None, 100, trigger, ()) for number in range(count)]
    return compile_rules(rules, version)


@dataclass
class LiveRules:
    current: RuleSet | None = field(default_factory=rule_set)

    def copy_age(self) -> float | None:
        return None


@dataclass
class Inbox:
    spool: SpoolStatus = field(default_factory=lambda: SpoolStatus(True, 0, 100))

    def spool_status(self) -> SpoolStatus:
        return self.spool


class NoTokens:
    """A database without API tokens."""

    async def find(self, _token: str) -> KnownToken | None:
        return None

    async def is_empty(self) -> bool:
        return True

    async def note_use(self, token: KnownToken) -> None:
        raise AssertionError(token)

    async def note_scope(self, token: KnownToken, scope: ApiScope) -> None:
        raise AssertionError(token, scope)


def settings(**values: Any) -> Settings:  # noqa: ANN401 - settings of every type
    """Settings of one OA with an AppSecret, whatever the environment says."""
    given = {
        "wechat_appid": APPID,
        "wechat_appsecret": SECRET,
        "wechat_token": "oaLinkDemoToken01",
        "wechat_encoding_aes_key": "Q7mZ2xKpR9sT4vWbN6cYdF1gHjL8aE3uPoXiMk5Bw0S",
        # Most tests look at what an operator sees.
        "operations_public": True,
        **values,
    }
    return Settings(_env_file=None, **given)


def make_app(
    database: Database | None = None,
    tokens: Tokens | None = None,
    **values: Any,  # noqa: ANN401 - settings
) -> FastAPI:
    """The operations' routes and one route under /api."""
    app = docs.create_app(title="OA Bridge", version="0")
    app.state.settings = settings(**values)
    app.state.database = database
    app.state.clock = SystemClock()
    app.state.rules = LiveRules()
    app.state.inbox = Inbox()
    app.state.mini_program_check = MiniProgramCheck(app.state.settings.mini_programs)
    app.add_middleware(
        ApiGate, settings=app.state.settings, tokens=tokens or NoTokens(), clock=SystemClock()
    )
    app.include_router(health.router)
    app.include_router(metrics_endpoint.router)
    api = APIRouter(prefix="/api", dependencies=[Depends(require_caller)])

    @api.get("/anything")
    async def anything() -> str:
        return "in"

    app.include_router(api)
    return app


@asynccontextmanager
async def database_away() -> AsyncIterator[Database]:
    """A database at an address where nothing listens: the port is ours, but closed to others."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        database = open_database(f"postgresql://oa@127.0.0.1:{taken.getsockname()[1]}/oa")
        yield database
        await database.close()


@asynccontextmanager
async def client_of(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
        yield client


async def get(app: FastAPI, path: str, **headers: str) -> httpx.Response:
    async with client_of(app) as client:
        # As bytes: httpx itself would refuse to send what is not ASCII.
        raw = {name.encode(): value.encode() for name, value in headers.items()}
        return await client.get(path, headers=raw)
