"""What a token of the database may do: its scopes and AppIDs, route by route."""

import re
from collections.abc import AsyncIterator, Collection, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
from fastapi import APIRouter
from fastapi.routing import APIRoute
from starlette.types import Message

from app.access import tokens
from app.access.scoped_route import ScopedRoute
from app.access.scopes import APPID_SCOPES, SCOPE_MEMBER, ApiScope
from app.access.token_cache import KnownToken, TokensUnavailable
from app.api_route import BoundedRoute
from app.db.engine import Database
from app.main import API_ROUTERS
from app.settings import Settings
from tests.access.conftest import ACTOR
from tests.ops.standins import NoTokens, database_away, get, make_app
from tests.service import (
    ADMIN_TOKEN,
    CARD_APPID,
    Json,
    Service,
    WorldClock,
    message,
    running,
    settings_for,
)

OTHER_APPID = "wx00000000000000ff"
OPENID, UNIONID = "openid-of-a-login", "unionid-of-a-login"
PARAMETER = re.compile(r"{\w+}")
UNKNOWN = "oab_" + "x" * 43
ANY_ID = "0197f000-0000-7000-8000-000000000000"


def routes_of(router: Any) -> Iterator[APIRoute]:  # noqa: ANN401 - FastAPI's own class for a router in a router
    for route in router.routes:
        if isinstance(route, APIRoute):
            yield route
        else:
            yield from routes_of(route.original_router)


def shows_details(readiness: httpx.Response) -> bool:
    """Tell whether readiness says more than a state of each part."""
    return any(part.keys() > {"status"} for part in readiness.json()["parts"].values())


async def add_token(
    database: Database,
    clock: WorldClock,
    name: str,
    scopes: Collection[ApiScope],
    appids: Collection[str] = (CARD_APPID,),
    lifetime: timedelta | None = None,
) -> str:
    """Add a token and return its text."""
    async with database.sessions.begin() as session:
        _, secret = await tokens.add(
            session,
            ACTOR,
            name,
            scopes,
            () if APPID_SCOPES.isdisjoint(scopes) else appids,
            expires_at=None if lifetime is None else clock.now() + lifetime,
            now=clock.now(),
        )
    return secret


async def call(service: Service, token: str, method: str, path: str, **more: Any) -> httpx.Response:  # noqa: ANN401 - httpx's own
    headers = {"authorization": f"Bearer {token}"}
    return await service.http.request(method, path, headers=headers, **more)


async def test_each_route_is_open_to_the_one_scope_that_it_names(
    service: Service, database: Database
) -> None:
    alone = {s: await add_token(database, service.clock, f"only {s}", [s]) for s in ApiScope}
    others = {
        scope: await add_token(
            database, service.clock, f"all but {scope}", [s for s in ApiScope if s is not scope]
        )
        for scope in ApiScope
    }
    schema = (await service.http.get("/openapi.json")).json()["paths"]
    checked = set()

    for path, methods in schema.items():
        for method, operation in methods.items():
            if not path.startswith("/api/"):
                continue
            scope = ApiScope(operation[SCOPE_MEMBER])
            url = PARAMETER.sub(ANY_ID if "webhook" in path or "repl" in path else "7", path)
            let_in = await call(service, alone[scope], method, url)
            refused = await call(service, others[scope], method, url)
            assert let_in.status_code not in {401, 403}, (method, path, let_in.text)
            assert refused.status_code == 403, (method, path, refused.text)
            assert f"lacks the scope {scope}:" in refused.json()["detail"]
            assert f"`{scope}`" in operation["description"]
            assert {"401", "403"} <= operation["responses"].keys()
            checked.add(scope)

    # Nothing needs it yet.
    assert set(ApiScope) - checked == {ApiScope.PEOPLE_WRITE}


def test_every_route_of_the_api_checks_scopes() -> None:
    routes = [route for router in API_ROUTERS for route in routes_of(router)]

    assert len(routes) > 30
    assert [route.path for route in routes if not isinstance(route, ScopedRoute)] == []


@pytest.mark.parametrize("route_class", [ScopedRoute, BoundedRoute])
def test_a_route_without_a_scope_can_not_be_made(route_class: type[ScopedRoute]) -> None:
    router = APIRouter(route_class=route_class)

    with pytest.raises(TypeError, match="/api/new needs a scope"):

        @router.post("/api/new")
        async def new(body: Json) -> None: ...


async def test_who_lists_pushes_does_not_read_what_followers_write(
    service: Service, database: Database, clock: WorldClock
) -> None:
    await service.push(message(clock, "hello"))
    token = await add_token(database, clock, "lists", [ApiScope.EVENTS_READ])

    listed = await call(service, token, "GET", "/api/callbacks")
    (push,) = listed.json()["items"]
    read = await call(service, token, "GET", f"/api/callbacks/{push['id']}")

    assert "hello" not in listed.text
    assert read.status_code == 403
    assert "lacks the scope people:read:" in read.json()["detail"]


async def test_a_body_is_not_read_for_a_token_without_the_scope(
    service: Service, database: Database
) -> None:
    token = await add_token(database, service.clock, "reader", [ApiScope.RULES_READ])
    sent: list[Message] = []
    reads = 0

    async def receive() -> Message:
        nonlocal reads
        reads += 1
        return {"type": "http.request", "body": b"{}", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    for path in ("/api/rules", "/api/rules/import", "/api/webhooks"):
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": "POST",
            "path": path,
            "raw_path": path.encode(),
            "root_path": "",
            "query_string": b"",
            "scheme": "http",
            "server": ("service", 80),
            "client": ("192.0.2.1", 1),
            "headers": [
                (b"authorization", f"Bearer {token}".encode()),
                (b"content-type", b"application/json"),
            ],
        }
        await service.app(scope, receive, send)

    assert [one["status"] for one in sent if one["type"] == "http.response.start"] == [403] * 3
    assert reads == 0


async def test_a_backend_reports_identities_of_its_mini_program_alone(
    service: Service, database: Database
) -> None:
    reports = [ApiScope.IDENTITIES_WRITE]
    token = await add_token(database, service.clock, "crm", reports, [CARD_APPID])

    async def report(*appids: str, by: str = token) -> httpx.Response:
        identities = [{"appid": a, "openid": OPENID, "unionid": UNIONID} for a in appids]
        return await call(service, by, "PUT", "/api/identities", json={"identities": identities})

    assert (await report(CARD_APPID)).status_code == 200
    for appids in ([OTHER_APPID], [CARD_APPID, OTHER_APPID]):
        refused = await report(*appids)
        assert refused.status_code == 403
        assert refused.json()["detail"] == (
            f"the token crm may not speak of {OTHER_APPID}; its AppIDs: {CARD_APPID}"
        )
    assert (await report(OTHER_APPID, by=ADMIN_TOKEN)).status_code == 200


async def test_a_backend_reports_arrivals_of_its_mini_program_alone(
    service: Service, database: Database
) -> None:
    reports = [ApiScope.ARRIVALS_WRITE]
    token = await add_token(database, service.clock, "shop", reports, [CARD_APPID])

    async def report(*appids: str) -> httpx.Response:
        at = service.clock.now().isoformat()
        bodies = [{"id": a, "kind": "launch", "appid": a, "at": at} for a in appids]
        return await call(service, token, "POST", "/api/arrivals", json={"reports": bodies})

    assert (await report(CARD_APPID)).status_code == 200
    refused = await report(CARD_APPID, OTHER_APPID)
    assert refused.status_code == 403
    assert OTHER_APPID in refused.json()["detail"]
    assert (await call(service, token, "GET", "/api/arrivals")).status_code == 403
    listed = (await call(service, ADMIN_TOKEN, "GET", "/api/arrivals")).json()["items"]
    assert [one["appid"] for one in listed] == [CARD_APPID]


async def test_the_token_of_a_backend_opens_nothing_else(
    service: Service, database: Database
) -> None:
    token = await add_token(database, service.clock, "crm", [ApiScope.IDENTITIES_WRITE])
    rule: Json = {"name": "x", "trigger": {"on": "fallback"}, "replies": []}

    answers = [
        await call(service, token, "POST", "/api/rules", json=rule),
        await call(service, token, "POST", "/api/webhooks", json={"url": "https://example.com"}),
        await call(service, token, "DELETE", f"/api/users/{UNIONID}"),
        await call(service, token, "GET", "/api/followers/export?format=csv"),
        await call(service, token, "GET", "/metrics"),
    ]

    assert [answer.status_code for answer in answers] == [403] * 5
    assert not shows_details(await call(service, token, "GET", "/readyz"))


async def test_operations_need_their_scope(service: Service, database: Database) -> None:
    token = await add_token(database, service.clock, "prometheus", [ApiScope.OPERATIONS_READ])

    assert (await call(service, token, "GET", "/metrics")).status_code == 200
    assert shows_details(await call(service, token, "GET", "/readyz"))


@pytest.mark.parametrize("why", ["revoked", "expired", "unknown"])
async def test_a_token_that_is_no_longer_valid_is_told_why(
    service: Service, database: Database, why: str
) -> None:
    reads = [ApiScope.RULES_READ]
    lifetime = timedelta(days=1) if why == "expired" else None
    token = await add_token(database, service.clock, "crm", reads, lifetime=lifetime)
    if why == "revoked":
        async with database.sessions.begin() as session:
            await tokens.revoke(session, ACTOR, "crm", now=service.clock.now())
    if why == "expired":
        service.clock.advance(timedelta(days=1))
    if why == "unknown":
        token = token[:-1] + ("A" if token[-1] != "A" else "B")

    refused = await call(service, token, "GET", "/api/rules")

    assert refused.status_code == 401
    assert refused.headers["WWW-Authenticate"] == "Bearer"
    assert ("valid bearer token is needed" if why == "unknown" else why) in refused.text
    assert token not in refused.text


async def test_use_of_a_token_is_noted(
    service: Service, database: Database, connection: asyncpg.Connection
) -> None:
    token = await add_token(database, service.clock, "crm", [ApiScope.RULES_READ])
    await call(service, token, "GET", "/api/rules")

    used_at = await connection.fetchval("SELECT last_used_at FROM api_tokens")
    assert used_at == service.clock.now()


async def test_a_history_names_the_token(service: Service, database: Database) -> None:
    scopes = [ApiScope.RULES_READ, ApiScope.RULES_WRITE]
    token = await add_token(database, service.clock, "crm", scopes)
    rule = {
        "name": "Shop",
        "trigger": {"on": "text", "match": "exact", "keyword": "shop"},
        "replies": [{"msgtype": "text", "via": "passive", "content": "hello"}],
    }
    added = (await call(service, token, "POST", "/api/rules", json=rule)).json()

    history = await call(service, token, "GET", f"/api/rules/{added['id']}/revisions")

    assert [one["operator"] for one in history.json()["items"]] == ["crm"]


@pytest.fixture
async def without_admin_tokens(
    database_url: str, tmp_path: Path, clock: WorldClock
) -> AsyncIterator[Service]:
    settings: Settings = settings_for(database_url, tmp_path, admin_tokens="")
    async with running(settings, clock) as service:
        yield service


async def test_without_any_token_it_is_told_how_to_make_one(
    without_admin_tokens: Service,
) -> None:
    answer = await without_admin_tokens.http.get("/api/rules")

    assert answer.status_code == 503
    assert "oa-bridge tokens add" in answer.json()["detail"]
    assert "ADMIN_TOKENS" in answer.json()["detail"]


async def test_a_token_of_the_database_is_enough(
    without_admin_tokens: Service, database: Database
) -> None:
    clock = without_admin_tokens.clock
    token = await add_token(database, clock, "crm", [ApiScope.RULES_READ])

    assert (await call(without_admin_tokens, token, "GET", "/api/rules")).status_code == 200
    assert (await without_admin_tokens.http.get("/api/rules")).status_code == 401


class UnreadTokens(NoTokens):
    """A database that is away, and nothing was read from it lately."""

    async def find(self, _token: str) -> KnownToken | None:
        raise TokensUnavailable

    async def is_empty(self) -> bool:
        raise TokensUnavailable


async def test_while_the_database_is_away_only_an_admin_token_can_be_checked() -> None:
    app = make_app(tokens=UnreadTokens(), admin_tokens=ADMIN_TOKEN)

    unchecked = await get(app, "/api/anything", Authorization=f"Bearer {UNKNOWN}")
    other_form = await get(app, "/api/anything", Authorization=f"Bearer {'x' * 43}")
    admin = await get(app, "/api/anything", Authorization=f"Bearer {ADMIN_TOKEN}")

    assert unchecked.status_code == 503
    assert "can't be checked" in unchecked.json()["detail"]
    assert (other_form.status_code, admin.status_code) == (401, 200)


async def test_readiness_is_told_even_if_a_token_can_not_be_checked() -> None:
    app = make_app(tokens=UnreadTokens(), operations_public=False)

    async with database_away() as database:
        app.state.database = database
        answer = await get(app, "/readyz", Authorization=f"Bearer {UNKNOWN}")

    assert not shows_details(answer)
