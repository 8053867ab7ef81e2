"""The number of values in a request is bounded before any of them is validated."""

import json
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from hypothesis import given
from hypothesis import strategies as st

from app.api_route import BoundedRoute
from app.clock import SystemClock
from app.db.engine import open_database
from app.json_values import MAX_VALUES, are_too_many, too_many_in
from app.main import API_ROUTERS
from app.ops.error_handlers import add_error_handlers
from tests.rules.makers import as_posted, settings_with


@pytest.fixture
def api(tmp_path: Path) -> FastAPI:
    """All routes of the API, without a database."""
    app = FastAPI()
    app.state.settings = settings_with(tmp_path)
    app.state.clock = SystemClock()
    app.state.database = open_database("postgresql://nobody@127.0.0.1:1/none")
    add_error_handlers(app)
    for router in API_ROUTERS:
        app.include_router(router)
    return app


def routes_of(router: Any) -> Iterator[APIRoute]:  # noqa: ANN401 - FastAPI's own class for a router in a router
    for route in router.routes:
        if isinstance(route, APIRoute):
            yield route
        else:
            yield from routes_of(route.original_router)


@pytest.mark.parametrize(
    ("value", "too_many"),
    [
        ([0] * (MAX_VALUES - 1), False),
        ([0] * (MAX_VALUES + 1), True),
        ([{}] * (MAX_VALUES + 1), True),
        ({str(n): 0 for n in range(MAX_VALUES + 2)}, True),
        ([[[0] * 2000] * 2] * 3, True),
        (['",{[' * MAX_VALUES], False),
        (["\\" * 9, "," * MAX_VALUES], False),
    ],
)
def test_values_are_counted_and_not_what_stands_in_texts(value: object, too_many: bool) -> None:
    assert too_many_in(json.dumps(value).encode()) == too_many
    assert are_too_many(value) == too_many


@given(st.binary())
def test_any_body_can_be_counted(body: bytes) -> None:
    assert not too_many_in(body)


def test_every_route_with_a_body_counts_first() -> None:
    routes = [route for router in API_ROUTERS for route in routes_of(router)]
    with_body = [route for route in routes if route.body_field]

    assert len(with_body) >= 5
    for route in with_body:
        assert isinstance(route, BoundedRoute), route.path


async def test_no_more_than_a_hundred_problems_are_listed(api: FastAPI) -> None:
    rule = as_posted() | {f"member{n}": 0 for n in range(500)}

    listed = await sent(api, "POST", "/api/rules", json.dumps(rule))
    identities = await sent(api, "PUT", "/api/identities", json.dumps({"identities": [{}] * 500}))

    assert [answer.status_code for answer in (listed, identities)] == [422, 422]
    assert [len(answer.json()["detail"]) for answer in (listed, identities)] == [100, 100]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/api/rules"),
        ("PUT", "/api/rules/1"),
        ("POST", "/api/rules/explain"),
        ("PUT", "/api/identities"),
        ("POST", "/api/webhooks"),
        ("POST", f"/api/webhooks/{UUID(int=1)}/replay"),
    ],
)
@pytest.mark.parametrize(
    "body",
    [
        {"identities": [{}] * 300_000},
        {"types": [0] * 400_000, "trigger": {"keywords": [0] * 100}},
        {f"member{n}": 0 for n in range(60_000)},
    ],
    ids=["objects", "numbers", "members"],
)
async def test_a_megabyte_of_bad_values_takes_little_memory(
    api: FastAPI, method: str, path: str, body: object
) -> None:
    content = json.dumps(body, separators=(",", ":"))
    tracemalloc.start()

    answer = await sent(api, method, path, content)

    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert answer.status_code == 422, answer.text
    (problem,) = answer.json()["detail"]
    assert (problem["loc"], problem["msg"][:5]) == (["body"], "holds")
    assert peak < 20 * 2**20


async def sent(api: FastAPI, method: str, path: str, content: str) -> httpx.Response:
    transport = httpx.ASGITransport(api)
    headers = {"content-type": "application/json", "if-match": "*"}
    async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
        return await client.request(method, path, content=content, headers=headers)
