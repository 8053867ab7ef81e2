"""The service and WeChat in one process: every room real, real Postgres, no ports."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
from fastapi import FastAPI
from prometheus_client import REGISTRY
from pydantic import BaseModel

from app.callback.inbox import Inbox
from app.db.engine import Database
from app.identity.models import UnionIdSource
from app.identity.unionid_store import UnionIdResult
from app.main import create_app
from app.settings import Settings
from app.unionid_resolution.record import record_unionids
from app.worker import Jobs, make_jobs
from simulator import demo
from simulator.accounts import Account
from simulator.app import create_app as create_wechat
from simulator.clock import MovableClock
from simulator.documents import write
from simulator.envelopes import Envelope, Stamp, new_stamp, seal
from simulator.faults import Fault
from simulator.ledger import Kind
from simulator.replies import Answer, read_answer
from simulator.state import State
from simulator.windows import Trigger
from tests.httpx_client import HttpxClient

ACCOUNT = demo.ACCOUNT.model_copy(update={"callback_url": "http://service/callback/{appid}"})
APPID = ACCOUNT.appid
OPENID, OTHER_OPENID, THIRD_OPENID = demo.OPENIDS
CARD_APPID = ACCOUNT.linked_mini_programs[0]
ADMIN_TOKEN = "an-admin-token-of-the-tests"
# One grey pixel.
JPEG = bytes.fromhex(
    f"ffd8ffdb004300{'01' * 64}ffc0000b080001000101011100ffc4001400{'01' + '00' * 15}00"
    f"ffc4001410{'01' + '00' * 15}00ffda0008010100003f003fffd9"
)
SEND = "/cgi-bin/message/custom/send"
STABLE_TOKEN = "/cgi-bin/stable_token"
UPLOAD = "/cgi-bin/media/upload"
USER_INFO = "/cgi-bin/user/info"
BATCHGET = "/cgi-bin/user/info/batchget"

Json = dict[str, Any]

_message_ids = count(7_000_000_000_000)


class WorldClock(MovableClock):
    """One time for the service and for WeChat; it stands still until it is moved."""

    def __init__(self) -> None:
        super().__init__()
        self._moment = datetime.now(UTC).replace(microsecond=0)

    def now(self) -> datetime:
        """Return the present moment of this test."""
        return self._moment

    def wall(self) -> datetime:
        """Return the same: here nobody lives by another clock."""
        return self._moment

    def advance(self, step: timedelta) -> None:
        """Move on by `step`."""
        self._moment += step

    @property
    def seconds(self) -> int:
        """The present moment in Unix seconds."""
        return int(self._moment.timestamp())


class Network(httpx.AsyncBaseTransport):
    """Carries calls to the simulator, and cuts them where it wants them cut, as a socket would."""

    def __init__(self, wechat: FastAPI) -> None:
        self._wechat = httpx.ASGITransport(wechat)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request."""
        trace = request.extensions.get("trace")
        if trace is not None:
            await trace("http11.send_request_headers.started", {})
        try:
            return await self._wechat.handle_async_request(request)
        except ConnectionAbortedError:
            raise httpx.RemoteProtocolError("cut", request=request) from None


@dataclass
class WeChat:
    """The simulator: its state, and a client that calls it as the API host."""

    state: State
    client: httpx.AsyncClient

    def strike(self, path: str, **effect: object) -> None:
        """Switch a fault on."""
        self.state.faults.add(Fault.model_validate({"path": path, **effect}))

    async def has_struck(self) -> bool:
        """Tell, to `eventually`, whether every counted fault has been used up."""
        return not self.state.faults.active

    def calls(self, path: str) -> list[Json]:
        """Return every call of `path` that the ledger has."""
        entries = self.state.ledger.read(kind=Kind.API_CALL)
        return [entry.as_json() for entry in entries if entry.facts["path"] == path]

    def sent(self, openid: str = OPENID) -> list[Json]:
        """Return the customer-service messages that a follower got."""
        chat = (entry.as_json() for entry in self.state.ledger.chat(openid))
        return [line for line in chat if line["via"] == "customer_service"]

    def open_window(self, openid: str = OPENID) -> None:
        """Let a message of the follower open a window at WeChat."""
        self.state.meet(APPID, openid).windows.open(Trigger.MESSAGE, self.state.clock.now())


@dataclass
class Service:
    """The web application as it runs, and a client of it."""

    app: FastAPI
    http: httpx.AsyncClient
    settings: Settings
    clock: WorldClock

    @property
    def inbox(self) -> Inbox:
        """Its inbox."""
        inbox: Inbox = self.app.state.inbox
        return inbox

    async def post(self, envelope: Envelope, *, appid: str = APPID) -> httpx.Response:
        """Deliver one envelope as WeChat does."""
        return await self.http.post(
            f"/callback/{appid}",
            params=envelope.query,
            content=envelope.body,
            headers={"content-type": envelope.content_type},
        )

    async def push(
        self, document: Json, *, account: Account = ACCOUNT, stamp: Stamp | None = None
    ) -> httpx.Response:
        """Seal a document as the account's mode asks for, and deliver it."""
        stamp = stamp or new_stamp(self.clock.now())
        return await self.post(sealed(document, stamp, account=account), appid=account.appid)

    async def push_at(self, path: str, document: Json) -> httpx.Response:
        """Push to a path that is not quite the one of the account."""
        envelope = sealed(document, new_stamp(self.clock.now()))
        return await self.http.post(path, params=envelope.query, content=envelope.body)

    async def answer(self, document: Json, *, account: Account = ACCOUNT) -> Answer:
        """Push, and read what comes back as WeChat reads it."""
        stamp = new_stamp(self.clock.now())
        response = await self.push(document, account=account, stamp=stamp)
        return read_answer(response.status_code, response.content, account, stamp, document)

    async def api(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str | int] | None = None,
        json: Json | None = None,
    ) -> httpx.Response:
        """Call `/api` as an operator."""
        headers = {"authorization": f"Bearer {ADMIN_TOKEN}", "if-match": "*"}
        return await self.http.request(
            method, f"/api/{path}", headers=headers, params=params, json=json
        )

    async def look(self, path: str) -> httpx.Response:
        """Get a path outside `/api` as an operator: `/readyz` or `/metrics`."""
        return await self.http.get(path, headers={"authorization": f"Bearer {ADMIN_TOKEN}"})

    async def read(self, path: str, **query: str | int) -> Json:
        """Return the JSON that a GET of `/api` answers."""
        answer = await self.api("GET", path, params=query)
        assert answer.status_code == 200, answer.text
        found: Json = answer.json()
        return found

    async def add_rule(self, *replies: Json, **changes: object) -> int:
        """Add a rule, for the text `shop` unless told otherwise, and let it be known here."""
        rule = {
            "name": "Shop",
            "trigger": {"on": "text", "match": "exact", "keyword": "shop"},
            "replies": list(replies),
            **changes,
        }
        answer = await self.api("POST", "rules", json=rule)
        assert answer.status_code == 201, answer.text
        await self.app.state.rules.load_once()
        rule_id: int = answer.json()["id"]
        return rule_id

    async def replace_rule(self, rule_id: int, *replies: Json) -> None:
        """Give a rule other replies, and let it be known here."""
        rule = await self.read(f"rules/{rule_id}")
        for name in ("id", "revision", "created_at", "updated_at"):
            del rule[name]
        answer = await self.api("PUT", f"rules/{rule_id}", json=rule | {"replies": list(replies)})
        assert answer.status_code == 200, answer.text
        await self.app.state.rules.load_once()


def sealed(document: Json, stamp: Stamp, *, account: Account = ACCOUNT) -> Envelope:
    """Return the request that carries a document."""
    text = write(document, account.format)
    return seal(text, account, str(document.get("FromUserName", "")), stamp)


def message(clock: WorldClock, text: str = "shop", *, openid: str = OPENID, **more: object) -> Json:
    """Return a text message of a follower, sent now."""
    return {
        "ToUserName": ACCOUNT.original_id,
        "FromUserName": openid,
        "CreateTime": clock.seconds,
        "MsgType": "text",
        "Content": text,
        "MsgId": next(_message_ids),
        **more,
    }


def event(clock: WorldClock, name: str, *, openid: str = OPENID, **more: object) -> Json:
    """Return an event that happened now."""
    return {
        "ToUserName": ACCOUNT.original_id,
        "FromUserName": openid,
        "CreateTime": clock.seconds,
        "MsgType": "event",
        "Event": name,
        **more,
    }


def card(title: str = "Shop", **changes: object) -> Json:
    """Return a mini-program card as a rule names it."""
    return {
        "msgtype": "miniprogrampage",
        "via": "customer_service",
        "title": title,
        "appid": CARD_APPID,
        "pagepath": "pages/index",
        "thumb": {"file": "shop.jpg"},
        **changes,
    }


def text_reply(content: str = "one moment", *, via: str = "passive") -> Json:
    """Return a text as a rule names it."""
    return {"msgtype": "text", "via": via, "content": content}


def settings_for(database_url: str, folder: Path, **changes: object) -> Settings:
    """Return settings with one Official Account, apart from this machine's environment."""
    media = folder / "media"
    media.mkdir(exist_ok=True)
    (media / "shop.jpg").write_bytes(JPEG)
    values: Json = {
        "database_url": database_url,
        "data_dir": folder,
        "wechat_appid": APPID,
        "wechat_original_id": ACCOUNT.original_id,
        "wechat_appsecret": ACCOUNT.secret,
        "wechat_token": ACCOUNT.token,
        "wechat_encoding_aes_key": ACCOUNT.encoding_aes_key,
        "wechat_api_base_url": "http://wechat",
        # The tests of an API that does not answer set it themselves.
        "wechat_api_timeout_seconds": 60.0,
        "admin_tokens": ADMIN_TOKEN,
    }
    # Validated as ever, but looked for nowhere else: the environment is not meant for these.
    settings = Settings.__new__(Settings)
    BaseModel.__init__(settings, **values | changes)
    return settings


def without_appsecret(settings: Settings) -> Settings:
    """Return settings under which reports may speak for the Official Account."""
    return Settings(_env_file=None, **settings.model_dump() | {"wechat_appsecret": None})


@asynccontextmanager
async def running(settings: Settings, clock: WorldClock) -> AsyncIterator[Service]:
    """Run the web application, and stop it as a server would."""
    app = create_app(settings, clock)
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://service") as http,
    ):
        yield Service(app, http, settings, clock)


async def wechat_names(service: Service, openid: str, unionid: str) -> None:
    """Record a UnionID of the Official Account as WeChat names it in a call about one person."""
    results = [UnionIdResult(APPID, openid, unionid, confirmed=True)]
    async with service.app.state.database.sessions.begin() as session:
        await record_unionids(
            session, results, source=UnionIdSource.USER_INFO, now=service.clock.now()
        )


def jobs_of(settings: Settings, database: Database, wechat: WeChat) -> Jobs:
    """Return the jobs of a worker whose calls reach the simulator."""
    return make_jobs(settings, database, wechat.state.clock, HttpxClient(wechat.client))


def counted(name: str, **labels: str) -> float:
    """Return the present value of one metric of this process."""
    return REGISTRY.get_sample_value(f"oa_bridge_{name}", labels) or 0.0


def of_answers(query: str) -> str:
    """Return a query of `answers`: the replies with a row, and the passive ones with their push."""
    return f"""
    WITH answers AS (
        SELECT id, callback_id, rule_id, via, status, content, created_at, sent_at FROM replies
        UNION ALL
        SELECT passive_id, id, COALESCE(passive_rule_id, rule_id), 'passive', 'sent', passive,
               received_at, received_at
        FROM callbacks WHERE passive_id IS NOT NULL
    ) {query}"""  # noqa: S608 - words of the tests


async def rows(connection: asyncpg.Connection, query: str, *arguments: object) -> list[Json]:
    """Return what a query finds."""
    return [dict(row) for row in await connection.fetch(query, *arguments)]


async def column(connection: asyncpg.Connection, query: str, *arguments: object) -> Sequence[Any]:
    """Return the first column of what a query finds."""
    return [row[0] for row in await connection.fetch(query, *arguments)]


@pytest.fixture
def clock() -> WorldClock:
    """The time of this test."""
    return WorldClock()


@pytest.fixture
async def wechat(clock: WorldClock) -> AsyncIterator[WeChat]:
    """WeChat, knowing the account and its followers."""
    simulator = create_wechat([ACCOUNT], openids=demo.OPENIDS)
    state: State = simulator.state.simulator
    state.clock = clock
    async with httpx.AsyncClient(transport=Network(simulator)) as client:
        yield WeChat(state, client)
    await state.client.aclose()


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    """Settings of this test's service."""
    return settings_for(database_url, tmp_path)


@pytest.fixture
async def service(settings: Settings, clock: WorldClock, patience: None) -> AsyncIterator[Service]:
    """The web application as it runs, but for its patience."""
    del patience
    async with running(settings, clock) as service:
        yield service


@pytest.fixture
def jobs(settings: Settings, database: Database, wechat: WeChat) -> Jobs:
    """The jobs of one worker."""
    return jobs_of(settings, database, wechat)
