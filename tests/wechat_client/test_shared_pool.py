"""Many new pictures at once: while all of them wait for WeChat, the database is free for others."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import asyncpg
import httpx

from app.db.engine import Database
from app.wechat.ids import AppId
from app.wechat.outbound import MediaSource, MediaUse
from app.wechat_client.media import MAX_UPLOADS
from simulator.app import create_app as create_wechat
from tests.pooled_connections import Held
from tests.replies.makers import statuses
from tests.service import (
    ACCOUNT,
    APPID,
    JPEG,
    UPLOAD,
    Network,
    Service,
    WeChat,
    WorldClock,
    card,
    jobs_of,
    message,
    settings_for,
)
from tests.waiting import eventually

PICTURES = 12
ACCOUNTS = 20


class Gate:
    """Keeps uploads from reaching WeChat until it is opened."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        client.event_hooks = {"request": [self._wait], "response": []}
        self._waiting = 0
        self._open = asyncio.Event()

    async def open_once(self, uploads: int, look: Callable[[], Awaitable[object]]) -> None:
        """Open when so many uploads wait and `look` has returned."""

        async def wait() -> bool:
            return self._waiting >= uploads

        await eventually(wait, "uploads that wait for each other")
        await look()
        self._open.set()

    async def _wait(self, request: httpx.Request) -> None:
        if request.url.path == UPLOAD:
            self._waiting += 1
            await self._open.wait()


async def test_twelve_new_pictures_at_once_go_out_while_the_api_answers(
    service: Service, wechat: WeChat, connection: asyncpg.Connection
) -> None:
    """The worker in the web process: both use one pool."""
    gate = Gate(wechat.client)
    jobs = jobs_of(service.settings, service.app.state.database, wechat)
    for number in range(PICTURES):
        name = f"p{number}.jpg"
        (service.settings.media_path / name).write_bytes(JPEG + bytes([number]))
        await service.add_rule(
            card(thumb={"file": name}),
            name=name,
            trigger={"on": "text", "match": "exact", "keyword": name},
        )
    people = [f"oPERSON{number:022d}" for number in range(PICTURES)]
    for number, openid in enumerate(people):
        wechat.state.meet(APPID, openid).follow(service.clock.now())
        wechat.open_window(openid)
        await service.push(message(service.clock, f"p{number}.jpg", openid=openid))
    page = await service.read("replies", limit=PICTURES)

    async with asyncio.TaskGroup() as tasks:
        for reply in page["items"]:
            tasks.create_task(jobs.deliver({"callback_id": reply["callback_id"]}))
        await gate.open_once(MAX_UPLOADS, lambda: service.read("replies", limit=1))

    assert await statuses(connection) == ["sent"] * PICTURES
    assert len(wechat.calls(UPLOAD)) == PICTURES


async def test_twenty_accounts_with_a_new_picture_each_wait_for_nobody(
    database: Database, clock: WorldClock, tmp_path: Path, database_url: str
) -> None:
    accounts = [
        ACCOUNT.model_copy(update={"appid": f"wx{number:016x}"}) for number in range(ACCOUNTS)
    ]
    simulator = create_wechat(accounts)
    file = tmp_path / "accounts.toml"
    file.write_text(
        "".join(
            f'[[account]]\nappid = "{one.appid}"\nappsecret = "{one.secret}"\n'
            f'token = "Token{number}"\nencoding_aes_key = "{one.encoding_aes_key}"\n'
            for number, one in enumerate(accounts)
        )
    )
    settings = settings_for(database_url, tmp_path, accounts_file=file)
    async with httpx.AsyncClient(transport=Network(simulator)) as client:
        wechat = WeChat(simulator.state.simulator, client)
        wechat.state.clock = clock
        gate = Gate(client)
        uploads = jobs_of(settings, database, wechat).delivery.uploads
        use = MediaUse("thumb_media_id", "image", MediaSource(file="shop.jpg"))
        *found, _ = await asyncio.gather(
            *(uploads.media_id(AppId(one.appid), use) for one in accounts),
            gate.open_once(MAX_UPLOADS, database.ping),
        )
        assert len(wechat.calls(UPLOAD)) == len(set(found)) == ACCOUNTS
        await wechat.state.client.aclose()


async def test_the_guard_of_all_tests_sees_a_second_connection_and_a_call(
    database: Database, held_connections: Held, wechat: WeChat
) -> None:
    async with database.engine.connect():
        await database.ping()
        await wechat.client.get("http://wechat/healthz")

    assert [fault.splitlines()[0] for fault in held_connections.faults] == [
        "a second pooled connection is taken while one is held",
        "a pooled connection is held while wechat is called",
    ]
    held_connections.faults.clear()


async def test_the_guard_of_all_tests_sees_what_a_task_inherits(
    database: Database, held_connections: Held
) -> None:
    async with database.engine.connect():
        await asyncio.create_task(database.ping())

    assert len(held_connections.faults) == 1
    held_connections.faults.clear()


async def test_the_guard_of_all_tests_lets_one_after_the_other_pass(
    database: Database, held_connections: Held
) -> None:
    for _ in range(3):
        await database.ping()
    async with database.sessions() as session:
        await session.connection()
    await asyncio.gather(*(database.ping() for _ in range(20)))

    assert held_connections.faults == []
