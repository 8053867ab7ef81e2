"""A simulator in this process, and a stub of the service that it pushes to."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from simulator.accounts import Account
from simulator.app import create_app
from simulator.demo import ACCOUNT, OPENIDS
from simulator.state import State

APPID, OPENID = ACCOUNT.appid, OPENIDS[0]
JPEG = b"\xff\xd8\xff\xe0 a picture"

Json = dict[str, Any]
Lines = list[Json]
Answerer = Callable[[httpx.Request], Awaitable[httpx.Response]]


async def success(_request: httpx.Request) -> httpx.Response:
    """Answer as a service that has nothing to say."""
    return httpx.Response(200, text="success")


@dataclass
class Service:
    """Receives the pushes; answers with each of `answers` in turn, then `success`."""

    answers: list[Answerer] = field(default_factory=list)
    received: list[httpx.Request] = field(default_factory=list)

    async def receive(self, request: httpx.Request) -> httpx.Response:
        """Keep a push and answer it."""
        self.received.append(request)
        answer = self.answers.pop(0) if self.answers else success
        return await answer(request)


@dataclass
class Simulator:
    """Calls a simulator over ASGI."""

    http: httpx.AsyncClient
    state: State

    async def post(self, path: str, body: Json) -> Json:
        """Return the JSON answer to a POST of JSON."""
        return answered(await self.http.post(path, json=body))

    async def get(self, path: str, **query: str | int) -> Json:
        """Return the JSON object that answers a GET."""
        return answered(await self.http.get(path, params=query))

    async def list(self, path: str, **query: str | int) -> Lines:
        """Return the JSON array that answers a GET."""
        answer: Lines = (await self.http.get(path, params=query)).json()
        return answer

    async def stable_token(self, *, force: bool = False) -> str:
        """Return the account's stable token."""
        body = credentials() | {"force_refresh": force}
        token: str = (await self.post("/cgi-bin/stable_token", body))["access_token"]
        return token

    async def api(self, path: str, body: Json) -> Json:
        """Return the answer to a POST to the API with a valid token."""
        return await self.post(f"/cgi-bin/{path}?access_token={await self.stable_token()}", body)

    async def read_api(self, path: str, **query: str) -> Json:
        """Return the answer to a GET of the API with a valid token."""
        token = await self.stable_token()
        return await self.get(f"/cgi-bin/{path}", access_token=token, **query)

    async def send(self, msgtype: str, content: Json, openid: str = OPENID) -> int:
        """Send a customer-service message and return the errcode."""
        body = {"touser": openid, "msgtype": msgtype, msgtype: content}
        errcode: int = (await self.api("message/custom/send", body))["errcode"]
        return errcode

    async def upload(self, media_type: str = "image", content: bytes = JPEG) -> Json:
        """Upload a file and return the answer."""
        answer = await self.http.post(
            "/cgi-bin/media/upload",
            params={"access_token": await self.stable_token(), "type": media_type},
            files={"media": ("a.jpg", content, "image/jpeg")},
        )
        return answered(answer)

    async def push(self, **request: object) -> Json:
        """Push, with the pauses between deliveries left out."""
        return await self.post("/_sim/push", {"openid": OPENID, **request})

    async def advance(self, seconds: float) -> None:
        """Move the simulated time forward."""
        await self.post("/_sim/clock", {"advance_seconds": seconds})

    async def change_account(self, **changes: object) -> None:
        """Replace settings of the account."""
        await self.post("/_sim/accounts", account_json(**changes))

    async def inbox(self, openid: str = OPENID) -> Lines:
        """Return the follower's chat."""
        return await self.list(f"/_sim/followers/{openid}/inbox")


def answered(answer: httpx.Response) -> Json:
    """Return the JSON object of an answer, which has to be HTTP 200."""
    assert answer.status_code == 200, answer.text
    parsed: Json = answer.json()
    return parsed


def credentials() -> Json:
    """Return what the token calls ask for."""
    return {"grant_type": "client_credential", "appid": APPID, "secret": ACCOUNT.secret}


def account_json(**changes: object) -> Json:
    """Return the demonstration account with quick retries, and with `changes`."""
    quick = {"timeout_seconds": 0.2, "pause_seconds": 0}
    return ACCOUNT.model_dump(mode="json") | {"delivery": quick} | changes


@pytest.fixture
def service() -> Service:
    """Return a service that answers `success` to everything."""
    return Service()


@pytest.fixture
async def simulator(service: Service) -> AsyncIterator[Simulator]:
    """Yield a simulator with the demonstration account, pushing to `service`."""
    account = Account.model_validate(account_json())
    app = create_app([account], openids=OPENIDS, callbacks=httpx.MockTransport(service.receive))
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://simulator") as http:
        yield Simulator(http, app.state.simulator)
