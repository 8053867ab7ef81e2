"""The page *Integrating*: its examples run against the service, and it names what the API has."""

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import httpx
import pytest
from standardwebhooks import Webhook
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from app.worker import Jobs, Worker
from tests.docs.integrating.examples import (
    EXAMPLES,
    FOLDER,
    LANGUAGES,
    Language,
    listening,
    run,
    served,
)
from tests.processes import free_port
from tests.service import (
    ADMIN_TOKEN,
    APPID,
    CARD_APPID,
    OPENID,
    Json,
    Service,
    column,
    event,
)
from tests.waiting import eventually
from tools.write_openapi import kept

PAGES = {
    name: (FOLDER.parent / name / "integrating.md").read_text(encoding="utf-8")
    for name in ("en", "zh")
}
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
OPERATION = re.compile(r"`(GET|POST|PUT|DELETE) (/api/[^`]*)`")
JSON_TYPE = {"content-type": "application/json"}

page = pytest.mark.parametrize("page", PAGES.values(), ids=PAGES.keys())


# --- A webhook's receiver ---


@dataclass
class Relay:
    """Keeps each delivery as the service made it, and passes it on to an example."""

    target: str
    received: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    async def answer(self, request: Request) -> Response:
        """Pass one delivery on; its answer is the example's."""
        names = ("webhook-id", "webhook-timestamp", "webhook-signature")
        headers = JSON_TYPE | {name: request.headers[name] for name in names}
        body = await request.body()
        self.received.append((headers, body))
        return Response(status_code=await post(self.target, headers, body))


async def post(url: str, headers: dict[str, str], body: bytes) -> int:
    async with httpx.AsyncClient(trust_env=False, timeout=30) as client:
        return (await client.post(url, headers=headers, content=body)).status_code


@asynccontextmanager
async def working(jobs: Jobs) -> AsyncIterator[None]:
    worker = Worker(jobs)
    task = asyncio.create_task(worker.run())
    try:
        yield
    finally:
        worker.stop()
        await task


def statuses(service: Service, webhook: Json, *wanted: str) -> Callable[[], Awaitable[bool]]:
    """Look whether the deliveries of a webhook stand so."""

    async def look() -> bool:
        found = (await service.read(f"webhooks/{webhook['id']}/deliveries"))["items"]
        return [one["status"] for one in found] == [*wanted]

    return look


async def test_a_receiver_takes_what_the_service_signed_and_nothing_else(
    language: Language, service: Service, jobs: Jobs, tmp_path: Path
) -> None:
    port, log = free_port(), tmp_path / "receiver.log"
    target = f"http://127.0.0.1:{port}/"
    relay = Relay(target)
    async with served(Starlette(routes=[Route("/hooks", relay.answer, methods=["POST"])])) as url:
        asked = {"url": f"{url}/hooks", "types": ["follow.*"]}
        added = await service.api("POST", "webhooks", json=asked)
        webhook = added.json()
        # Both secrets sign from here on, the new one first; the receiver has the old one.
        await service.api("POST", f"webhooks/{webhook['id']}/secret", json={})
        command = language.command("webhook_receiver")
        if language.name == "php":
            command = ["php", "-S", f"127.0.0.1:{port}", *command[1:]]
        settings = {"WEBHOOK_SECRET": webhook["secret"], "PORT": str(port)}
        async with listening(command, settings, log, port), working(jobs):
            await service.push(event(service.clock, "subscribe", EventKey="qrscene_7"))
            await eventually(statuses(service, webhook, "delivered"), "the follow to be delivered")
            ((headers, body),) = relay.received
            changed = body.replace(b'"scene":"7"', b'"scene":"8"')
            answers = [
                await post(target, headers, body),
                await post(target, headers, changed),
                await post(target, headers | {"webhook-id": "msg_other"}, body),
                await post(target, signed(webhook, body, seconds=-301), body),
                await post(target, signed(webhook, body, seconds=+302), body),
                await post(target, signed(webhook, body, seconds=-290), body),
                await post(target, JSON_TYPE, body),
            ]

    assert added.status_code == 201
    assert len(headers["webhook-signature"].split()) == 2
    assert changed != body
    assert answers == [204, 400, 400, 400, 400, 204, 400]
    stored = [json.loads(line) for line in log.read_text().splitlines() if line[:1] == "{"]
    assert [one["id"] for one in stored] == [headers["webhook-id"]] * 2 + ["msg_signed"]
    assert stored[0]["type"] == "follow.created"
    assert stored[0]["data"]["openid"] == OPENID


def signed(webhook: Json, body: bytes, *, seconds: int) -> dict[str, str]:
    """Return rightly signed headers of another moment."""
    when = int(time.time()) + seconds
    return JSON_TYPE | {
        "webhook-id": "msg_signed",
        "webhook-timestamp": str(when),
        "webhook-signature": sign(webhook["secret"], when, body),
    }


def sign(secret: str, when: int, body: bytes) -> str:
    moment = datetime.fromtimestamp(when, UTC)
    signature: str = Webhook(secret).sign("msg_signed", moment, body.decode())
    return signature


# --- Identities ---


async def jscode2session(request: Request) -> Response:
    """Answer as WeChat does at a mini-program's login."""
    assert request.query_params["appid"] == CARD_APPID
    assert request.query_params["secret"] == "a-secret"
    assert request.query_params["grant_type"] == "authorization_code"
    code = request.query_params["js_code"]
    session = {"session_key": "a2V5", "openid": "oMINI"}
    if code == "bound+code/==":
        session["unionid"] = "oUNION"
    elif code != "unbound":
        return JSONResponse({"errcode": 40029, "errmsg": "invalid code"})
    return JSONResponse(session)


async def test_a_login_is_reported_once_there_is_a_unionid(
    language: Language, service: Service, api: dict[str, str], connection: asyncpg.Connection
) -> None:
    # The example has the real time: a login that it reports is then before the service's present.
    service.clock.advance(timedelta(minutes=1))
    wechat = Starlette(routes=[Route("/sns/jscode2session", jscode2session)])
    async with served(wechat) as url:
        settings = api | {
            "WECHAT_API": url,
            "MINI_PROGRAM_APPID": CARD_APPID,
            "MINI_PROGRAM_SECRET": "a-secret",
        }
        refused, unbound, bound = [
            await run(language.command("report_identity", code), settings)
            for code in ("used-before", "unbound", "bound+code/==")
        ]

    assert refused.status != 0
    assert "40029" in refused.output
    assert (unbound.status, unbound.lines) == (0, ["no UnionID: nothing to report"])
    assert bound.status == 0, bound.output
    assert json.loads(bound.output) == {
        "received": 1,
        "changed": 0,
        "conflicts": 0,
        "erased": 0,
    }
    person = await service.read("users/oUNION")
    assert [(one["appid"], one["openid"]) for one in person["openids"]] == [(CARD_APPID, "oMINI")]
    (logged_in_at,) = await column(connection, "SELECT logged_in_at FROM openids")
    assert logged_in_at < service.clock.now()


# --- Rules ---


class Interfering:
    """Lets somebody else change a rule just before the first PUT of an example arrives."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._left = True

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._left and scope["method"] == "PUT":
            self._left = False
            rule = await self._service.read(scope["path"].removeprefix("/api/"))
            path = f"rules/{rule['id']}"
            for name in ("id", "revision", "created_at", "updated_at"):
                del rule[name]
            answer = await self._service.api("PUT", path, json=rule | {"name": "Other name"})
            assert answer.status_code == 200, answer.text
        await self._service.app(scope, receive, send)


async def only_rule(service: Service) -> tuple[str, int, int]:
    (rule,) = (await service.read("rules"))["items"]
    return rule["name"], rule["priority"], rule["revision"]


async def test_a_rule_is_added_and_changed(
    language: Language, service: Service, api: dict[str, str]
) -> None:
    ended = await run(language.command("change_rule"), api)

    assert ended.status == 0, ended.output
    assert json.loads(ended.output)["revision"] == 2
    assert await only_rule(service) == ("Opening hours", 200, 2)
    (rule,) = (await service.read("rules"))["items"]
    assert rule["trigger"] == {"on": "text", "match": "contains", "keyword": "营业时间"}


async def test_a_change_by_somebody_else_is_never_lost(
    language: Language, service: Service
) -> None:
    app: ASGIApp = Interfering(service)
    async with served(app) as url:
        settings = {"OA_BRIDGE_URL": url, "OA_BRIDGE_TOKEN": ADMIN_TOKEN}
        ended = await run(language.command("change_rule"), settings)

    if language.name == "java":  # it stops, and leaves the rule to a person
        assert ended.status != 0
        assert "412" in ended.output
        assert await only_rule(service) == ("Other name", 100, 2)
    else:
        assert ended.status == 0, ended.output
        assert await only_rule(service) == ("Other name", 200, 3)


# --- Lists ---

FOLLOWERS = """
INSERT INTO followers (appid, openid, following, source, last_at, last_id)
SELECT $1, 'oPERSON' || number, true, 'event', now(), gen_random_uuid()
FROM generate_series(1, 1200) AS number
"""


async def test_followers_are_read_to_the_end_and_on_from_there(
    language: Language, service: Service, api: dict[str, str], connection: asyncpg.Connection
) -> None:
    await connection.execute(FOLLOWERS, APPID)
    command = language.command("read_followers")

    whole = await run(command, api)
    *openids, later = whole.lines
    nobody = await run([*command, later], api)
    await service.push(event(service.clock, "subscribe"))
    one = await run([*command, nobody.lines[-1]], api)

    assert whole.status == nobody.status == one.status == 0, whole.output
    assert len(openids) == 1200
    assert set(openids) == {f"oPERSON{number}" for number in range(1, 1201)}
    assert nobody.lines == [later]
    assert one.lines[:-1] == [OPENID]


# --- The page itself ---


@page
@pytest.mark.parametrize("language", LANGUAGES, ids=lambda language: language.name)
@pytest.mark.parametrize("example", EXAMPLES)
def test_a_page_shows_each_example_as_it_is_run(
    page: str, language: Language, example: str
) -> None:
    source = language.path(example).read_text(encoding="utf-8")

    assert (language.fence, source) in BLOCK.findall(page)


def test_no_example_is_left_out() -> None:
    files = {path for path in FOLDER.rglob("*.*") if path.parent.name in names()}

    assert files == {language.path(example) for language in LANGUAGES for example in EXAMPLES}


def names() -> set[str]:
    return {language.name for language in LANGUAGES}


def operations() -> Iterator[tuple[str, str, Json]]:
    for path, methods in kept()["paths"].items():
        for method, operation in methods.items():
            if path.startswith("/api/"):
                yield method.upper(), path, operation


@page
def test_a_page_names_every_operation_of_the_api_and_no_other(page: str) -> None:
    named = {(method, path.partition("?")[0]) for method, path in OPERATION.findall(page)}

    assert named == {(method, path) for method, path, _ in operations()}


@page
def test_a_page_names_every_parameter_of_the_api(page: str) -> None:
    parameters = {
        parameter["name"]
        for _, _, operation in operations()
        for parameter in operation.get("parameters", [])
        if parameter["in"] != "path"
    }

    assert {name for name in parameters if f"`{name}`".lower() not in page.lower()} == set()


@page
def test_a_page_names_every_word_of_the_api_that_clients_compare(page: str) -> None:
    """Event types, statuses, reasons: what stands in an enum of a list or a webhook."""
    enums = {
        name: one["enum"] for name, one in kept()["components"]["schemas"].items() if "enum" in one
    }
    wanted = {value for name in COMPARED for value in enums.get(name, ())}

    assert enums.keys() >= COMPARED
    assert {value for value in wanted if f"`{value}`" not in page} == set()


COMPARED = {
    "ConsentState",
    "DeliveryStatus",
    "EventType",
    "FollowAction",
    "ReplyStatus",
    "ResolveState",
    "Scope",
    "Source",
    "SubscriptionAction",
    "Trigger",
}


@page
async def test_the_inbox_of_a_page_keeps_an_event_once(
    page: str, connection: asyncpg.Connection
) -> None:
    (sql,) = [source for fence, source in BLOCK.findall(page) if fence == "sql"]
    create, insert = sql.split("\n\n")
    await connection.execute(create)
    answers = [await connection.execute(insert, "msg_1", 7, "{}") for _ in range(2)]

    assert answers == ["INSERT 0 1", "INSERT 0 0"]


@page
def test_the_links_of_a_page_lead_somewhere(page: str) -> None:
    links = set(re.findall(r"\]\(([^)#\s]+)[^)]*\)", page))
    relative = {link for link in links if "://" not in link}

    assert relative <= OTHER_PAGES | {f"../{name}/integrating.md" for name in PAGES}


@page
def test_the_links_inside_a_page_lead_somewhere(page: str) -> None:
    prose = BLOCK.sub("", page)
    headings = re.findall(r"^#+ (.*)$", prose, re.MULTILINE)
    anchors = {re.sub(r"[^\w\- ]", "", one).lower().replace(" ", "-") for one in headings}
    anchors |= set(re.findall(r'<a id="([^"]+)"></a>', prose))

    assert set(re.findall(r"\]\(#([^)]+)\)", prose)) <= anchors


def test_both_pages_say_the_same_in_the_same_order() -> None:
    outlines = [outline(page) for page in PAGES.values()]

    assert outlines[0] == outlines[1]


def outline(page: str) -> list[str]:
    """Return what no translation changes: levels of headings, sizes of tables, code."""
    found = re.findall(r"^(#+) |^(\||- |\d+\. )|^```(\w*)$", BLOCK.sub("", page), re.MULTILINE)
    return ["".join(one) for one in found]


OTHER_PAGES = {
    "index.md",
    "rules.md",
    "operating.md",
    "settings.md",
    "personal-data.md",
    "performance.md",
    "../architecture.md",
    "../examples/jssdk.html",
}
