"""What `/api` answers to what can't be carried out: never a 500 for what was sent or is away."""

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import asyncpg
import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, InterfaceError, InternalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from app.db.diagnosis import NOT_MIGRATED, describe
from app.db.engine import Database, open_database
from app.ops.error_handlers import BUSY, FAILED, NO_SUCH_METHOD, NO_SUCH_PATH, SLOW, error_detail
from tests.lock_waits import backend_waits
from tests.ops.standins import database_away
from tests.refusing_postgres import refusing_postgres
from tests.service import (
    ADMIN_TOKEN,
    APPID,
    CARD_APPID,
    Json,
    Service,
    clock,
    event,
    service,
    settings,
    text_reply,
)
from tests.waiting import eventually

__all__ = ["clock", "service", "settings"]

AGAIN = "try again later"
TEXT = {"on": "text", "match": "exact", "keyword": "shop"}
RULE: Json = {"name": "Shop", "trigger": TEXT, "replies": [text_reply()]}
BODIES: dict[str, tuple[str, Json]] = {
    "identities": (
        "PUT",
        {"identities": [{"appid": CARD_APPID, "openid": "oONE", "unionid": "uONE"}]},
    ),
    "webhooks": ("POST", {"url": "https://example.com/hook", "description": "", "types": ["*"]}),
    "webhooks/00000000-0000-0000-0000-000000000000/secret": ("POST", {"overlap_hours": 1}),
    "webhooks/00000000-0000-0000-0000-000000000000/replay": ("POST", {"from": 1}),
    "rules": ("POST", RULE),
    "rules/import": ("POST", {"rules": [RULE]}),
    "rules/explain": (
        "POST",
        {"appid": APPID, "openid": "oONE", "message": {"type": "text", "content": "shop"}},
    ),
}


def spoilt(value: Any, bad: Any) -> Iterator[Any]:  # noqa: ANN401 - any JSON
    """Yield the document with each of its values replaced in turn, and with a member more."""
    if isinstance(value, dict):
        yield {**value, "more": bad}
        if isinstance(bad, str):
            yield {**value, bad: 1}
        for name, inner in value.items():
            yield from ({**value, name: one} for one in spoilt(inner, bad))
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield from ([*value[:place], one, *value[place + 1 :]] for one in spoilt(inner, bad))
    else:
        yield bad
        if isinstance(value, str) and isinstance(bad, str):
            yield value + bad


async def send(service: Service, method: str, path: str, content: bytes) -> httpx.Response:
    headers = {
        "authorization": f"Bearer {ADMIN_TOKEN}",
        "if-match": "*",
        "content-type": "application/json",
    }
    return await service.http.request(method, f"/api/{path}", headers=headers, content=content)


def written(document: Any) -> bytes:  # noqa: ANN401 - any JSON
    """JSON as a careless client writes it: halves of surrogate pairs escaped, NaN as a word."""
    return json.dumps(document).encode()


@pytest.mark.parametrize("bad", ["\ud800", "\x00", float("nan"), float("inf"), 10**400], ids=ascii)
@pytest.mark.parametrize("path", BODIES)
async def test_no_text_or_number_in_a_body_is_an_error_of_the_service(
    service: Service, path: str, bad: object
) -> None:
    method, document = BODIES[path]

    for one in spoilt(document, bad):
        answer = await send(service, method, path, written(one))

        assert answer.status_code < 500, (one, answer.text)
        if bad == "\ud800":
            assert answer.status_code == 422, (ascii(one), answer.text)
            assert answer.json()["detail"]


@pytest.mark.parametrize("path", ["/api/nope", "/api/rules/", "/nope"])
async def test_a_path_that_is_none_is_told_from_a_thing_that_is_missing(
    service: Service, path: str
) -> None:
    answer = await send(service, "GET", path.removeprefix("/api/"), b"")
    missing = await send(service, "GET", "rules/999999", b"")

    assert (answer.status_code, answer.json()) == (404, {"detail": NO_SUCH_PATH})
    assert missing.status_code == 404
    assert missing.json()["detail"] != NO_SUCH_PATH


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [("PATCH", "rules", "GET, POST"), ("POST", "users/u", "DELETE, GET")],
)
async def test_a_method_that_is_none_names_all_that_are(
    service: Service, method: str, path: str, allowed: str
) -> None:
    answer = await send(service, method, path, b"{}")

    assert (answer.status_code, answer.headers["Allow"]) == (405, allowed)
    assert answer.json() == {"detail": NO_SUCH_METHOD.format(method, allowed.replace(", ", " or "))}


@pytest.mark.parametrize("path", BODIES)
async def test_a_body_that_is_no_utf_8_is_refused(service: Service, path: str) -> None:
    method, _ = BODIES[path]

    answer = await send(service, method, path, b'{"name": "\xff"}')

    assert answer.status_code in (400, 422), answer.text
    assert "UTF-8" in answer.text or "utf-8" in answer.text


async def of_type(
    service: Service, path: str, content_type: str | None, content: bytes
) -> httpx.Response:
    headers = {"authorization": f"Bearer {ADMIN_TOKEN}", "if-match": "*"}
    if content_type is not None:
        headers["content-type"] = content_type
    return await service.http.request(
        BODIES[path][0], f"/api/{path}", headers=headers, content=content
    )


JSON_BODIES = [path for path in BODIES if path != "rules/import"]


@pytest.mark.parametrize("path", JSON_BODIES)
async def test_a_body_without_content_type_is_read_as_json(service: Service, path: str) -> None:
    content = written(BODIES[path][1])
    named = await of_type(service, path, "application/json", content)

    answer = await of_type(service, path, None, content)

    assert answer.status_code == named.status_code, answer.text


@pytest.mark.parametrize(
    "content_type", ["application/x-www-form-urlencoded", "text/plain", "json"]
)
@pytest.mark.parametrize("path", JSON_BODIES)
async def test_a_body_of_another_type_is_refused_for_that_reason(
    service: Service, path: str, content_type: str
) -> None:
    answer = await of_type(service, path, content_type, written(BODIES[path][1]))

    assert answer.status_code == 415, answer.text
    assert "Content-Type: application/json" in answer.json()["detail"]


@pytest.mark.parametrize("path", BODIES)
async def test_every_422_has_one_shape_and_says_what_to_do(service: Service, path: str) -> None:
    for body in (b"", b"[]", b'{"\\ud800": 1}', b"{"):
        answer = await send(service, BODIES[path][0], path, body)

        assert answer.status_code == 422, answer.text
        for problem in answer.json()["detail"]:
            assert problem.keys() == {"loc", "msg", "type"}
            assert ": " in problem["msg"], problem


async def test_an_error_of_the_service_has_the_shape_of_all_errors(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> None:
        raise LookupError("a-secret")

    monkeypatch.setattr("app.webhooks.store.all_webhooks", fail)
    transport = httpx.ASGITransport(service.app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
        headers = {"authorization": f"Bearer {ADMIN_TOKEN}"}
        answer = await client.get("/api/webhooks", headers=headers)

    assert answer.status_code == 500
    assert answer.json() == {"detail": FAILED}


@pytest.mark.parametrize(
    ("method", "path", "names"),
    [
        ("GET", "follow-events", ("appid", "openid", "unionid", "scene", "kind", "after", "from")),
        ("GET", "subscription-events", ("appid", "openid", "unionid", "scene", "kind", "until")),
        ("GET", "followers", ("appid", "openid", "unionid", "scene", "following", "after")),
        ("GET", "followers/export", ("appid", "openid", "unionid", "scene", "format")),
        ("GET", "replies", ("appid", "openid", "status", "before")),
        ("GET", "rules", ("appid", "enabled", "after", "limit")),
        ("GET", "rules/export", ("format",)),
        ("GET", "rules/conflicts", ("limit",)),
        ("GET", "stats/followers", ("appid", "time_zone", "from")),
        ("GET", "stats/subscriptions", ("appid", "time_zone", "until")),
        ("GET", "users/uONE", ("before", "limit")),
        ("GET", "users", ("appid", "openid", "before")),
        ("DELETE", "users", ("appid", "openid")),
    ],
)
async def test_a_nul_in_a_query_is_named(
    service: Service, method: str, path: str, names: tuple[str, ...]
) -> None:
    whole = {"format": "csv"} if path == "followers/export" else {}
    if path == "users":
        whole = {"appid": APPID, "openid": "oONE"}

    for name in names:
        answer = await service.api(method, path, params={**whole, name: "a\x00b"})

        assert answer.status_code == 422, (name, answer.text)
        assert name in answer.text


async def test_what_was_sent_is_not_repeated(service: Service) -> None:
    answer = await service.api("POST", "webhooks", json={"url": "ftp://a-secret@example.com"})

    assert answer.status_code == 422
    assert "a-secret" not in answer.text
    assert [[*one] for one in answer.json()["detail"]] == [["loc", "msg", "type"]]


async def test_a_query_that_takes_too_long_is_told_to_be_made_smaller(
    service: Service, connection: asyncpg.Connection, database_url: str
) -> None:
    """Here it waits for a lock, as it would for millions of rows."""
    # The statements of a new connection have to end in this time, too, however busy the machine is.
    database = service.app.state.database = open_database(database_url, command_timeout=3)
    await service.push(event(service.clock, "subscribe"))
    async with connection.transaction():
        await connection.execute("LOCK TABLE follow_events")

        answers = await asyncio.gather(
            *(service.api("GET", path) for path in ("stats/followers", "follow-events"))
        )
    await database.close()

    assert [(one.status_code, one.json()) for one in answers] == [(503, {"detail": SLOW})] * 2


async def test_a_query_that_the_database_cancels_is_told_so(
    service: Service, connection: asyncpg.Connection
) -> None:
    async with connection.transaction():
        await connection.execute("LOCK TABLE follow_events")
        asking = asyncio.create_task(service.api("GET", "stats/followers"))
        (pid,) = await eventually(backend_waits(connection))

        await connection.execute("SELECT pg_cancel_backend($1)", pid)
        answer = await asking

    assert (answer.status_code, answer.json()) == (503, {"detail": SLOW})


async def test_a_database_that_is_away_is_told_so(service: Service) -> None:
    async with database_away() as database:
        service.app.state.database = database

        answer = await service.api("GET", "followers")

    assert (answer.status_code, answer.json()) == (503, {"detail": BUSY})
    assert AGAIN in BUSY


@pytest.mark.parametrize(
    ("code", "said"), [("28P01", "user and password of DATABASE_URL"), ("3D000", "does not exist")]
)
async def test_a_database_url_that_is_wrong_is_told_with_the_fix(
    service: Service, code: str, said: str
) -> None:
    with refusing_postgres(code, "no") as url:
        database = service.app.state.database = open_database(url)

        answer = await service.api("GET", "rules")
        await database.close()

    assert answer.status_code == 503
    assert said in answer.json()["detail"]


async def test_a_schema_that_is_missing_is_told_with_the_fix(
    service: Service, connection: asyncpg.Connection
) -> None:
    # Renamed, not dropped: a drop locks each table in turn, and meets the service in a deadlock.
    await connection.execute("ALTER SCHEMA public RENAME TO earlier")
    await connection.execute("CREATE SCHEMA public")

    answers = [await service.api("GET", path) for path in ("rules", "followers", "webhooks")]

    assert [(one.status_code, one.json()) for one in answers] == [
        (503, {"detail": NOT_MIGRATED})
    ] * 3


async def test_a_statement_that_is_wrong_is_the_services_own_fault(database: Database) -> None:
    async with database.sessions() as session:
        with pytest.raises(DBAPIError) as caught:
            await session.execute(text("SELECT nothing_of_this_name"))

    assert error_detail(caught.value) is None


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (TimeoutError(), SLOW),
        (asyncpg.QueryCanceledError("x"), SLOW),
        (ConnectionRefusedError(), BUSY),
        (asyncpg.TooManyConnectionsError("x"), BUSY),
        (asyncpg.InvalidPasswordError("x"), describe(asyncpg.InvalidPasswordError("x"))),
        (asyncpg.InvalidCatalogNameError("x"), describe(asyncpg.InvalidCatalogNameError("x"))),
        (asyncpg.DeadlockDetectedError("x"), BUSY),
        (asyncpg.InterfaceError("x"), BUSY),
        (asyncpg.InternalClientError("x"), BUSY),
        (PoolTimeoutError("x"), BUSY),
        (InternalError("x", None, Exception()), BUSY),
        (InterfaceError("x", None, Exception(), connection_invalidated=True), BUSY),
        (InterfaceError("x", None, Exception()), None),
        (asyncpg.UndefinedTableError("x"), None),
        (asyncpg.UniqueViolationError("x"), None),
    ],
    ids=repr,
)
def test_only_what_another_try_may_not_meet_is_worth_another(
    error: Exception, told: str | None
) -> None:
    assert error_detail(error) == told
