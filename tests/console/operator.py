"""An operator in front of the console, without a browser."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from app.access import operators, sessions, sign_in_links
from app.access.actor import Actor, ActorKind
from app.access.roles import Role
from tests.service import Service

ORIGIN = "https://console.example"
FROM_A_PAGE = {"Sec-Fetch-Site": "same-origin"}
COMMAND = Actor(ActorKind.CLI, "cli")


@dataclass
class Operator:
    """Somebody who is signed in."""

    http: httpx.AsyncClient
    name: str

    async def get(self, path: str, **query: str | int) -> httpx.Response:
        """Open a page. path: below the console."""
        return await self.http.get(f"/console{path}", params=query or None)

    async def get_part(self, path: str, **query: str | int) -> httpx.Response:
        """Ask for a part of a page, as htmx does."""
        headers = {"HX-Request": "true"}
        return await self.http.get(f"/console{path}", params=query or None, headers=headers)

    async def post(self, path: str, data: Mapping[str, Any] | None = None) -> httpx.Response:
        """Send a form of a page."""
        return await self.http.post(f"/console{path}", data=data, headers=FROM_A_PAGE)


async def sign_in_path(service: Service, name: str, role: Role, language: str | None = None) -> str:
    """Add an operator; return the path of a link that signs them in."""
    state = service.app.state
    now = service.clock.now()
    async with state.database.sessions.begin() as session:
        added = await operators.add(session, COMMAND, name, role, now=now)
        await operators.choose_language(session, added.id, language)
        secret = await sign_in_links.make(session, COMMAND, added, now=now)
    return sign_in_links.link_of("", secret)


async def session_of(service: Service, name: str, role: Role, language: str | None = None) -> str:
    """Add an operator who is signed in; return what their cookie holds."""
    state = service.app.state
    now = service.clock.now()
    async with state.database.sessions.begin() as session:
        added = await operators.add(session, COMMAND, name, role, now=now)
        await operators.choose_language(session, added.id, language)
        return await sessions.start(session, added, address=None, user_agent=None, now=now)


@asynccontextmanager
async def visitor(service: Service, **headers: str) -> AsyncIterator[httpx.AsyncClient]:
    """A client that calls the console over HTTPS."""
    transport = httpx.ASGITransport(service.app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=ORIGIN, headers=headers) as http:
        yield http


@asynccontextmanager
async def signed_in(
    service: Service, role: Role = Role.OWNER, *, name: str = "小王", language: str = "en"
) -> AsyncIterator[Operator]:
    """Sign an operator in."""
    path = await sign_in_path(service, name, role, language)
    async with visitor(service) as http:
        answer = await http.post(path, headers=FROM_A_PAGE)
        assert answer.status_code == 303, answer.text
        yield Operator(http, name)
