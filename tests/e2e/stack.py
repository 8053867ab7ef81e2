"""The service as an operator runs it: web processes, workers, one database, and WeChat."""

import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from simulator.demo import ACCOUNT
from tests.e2e.children import Child, oa_bridge
from tests.e2e.peer import Peer
from tests.e2e.tables import Tables
from tests.processes import free_port
from tests.rules.makers import JPEG, as_posted
from tests.waiting import eventually

ADMIN_TOKEN = "e2e-admin-token-of-the-tests"
BEARER = {"Authorization": f"Bearer {ADMIN_TOKEN}"}


@dataclass(frozen=True, slots=True)
class Stack:
    """Everything that runs, and what it takes to talk to it."""

    webs: list[Child]
    workers: list[Child]
    peer: Peer
    tables: Tables
    http: httpx.AsyncClient

    @property
    def urls(self) -> list[str]:
        """Base URLs of the web processes."""
        return [web.url for web in self.webs]

    async def api(self, method: str, path: str, body: object = None, *, web: int = 0) -> Any:  # noqa: ANN401 - JSON of any shape
        """Call `/api/PATH` as an operator and return the JSON of a 2xx answer."""
        answer = await self.http.request(
            method, f"{self.urls[web]}/api/{path}", json=body, headers={**BEARER, "If-Match": "*"}
        )
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    async def ready(self, web: int = 0) -> dict[str, Any]:
        """Return what `/readyz` tells; its status must be 200."""
        answer = await self.http.get(f"{self.urls[web]}/readyz", headers=BEARER)
        assert answer.status_code == 200, answer.text
        told: dict[str, Any] = answer.json()
        return told

    async def add_rule(self, **changes: object) -> int:
        """Add the rule of the shop, with changes, and return its id once all answer with it."""
        rule_id: int = (await self.api("POST", "rules", as_posted(**changes)))["id"]
        await self.rules_are_live()
        return rule_id

    async def only_the_shop(self) -> None:
        """Have the rule of the shop and no other, in every web process."""
        await self.tables.rows("DELETE FROM rules")
        await self.add_rule()

    async def rules_are_live(self) -> None:
        """Return once every web process answers with the newest rules."""
        version = await self.tables.value("SELECT version FROM rules_version")
        for number in range(len(self.webs)):

            async def is_live(web: int = number) -> bool:
                return bool((await self.ready(web))["parts"]["rules"]["version"] == version)

            await eventually(is_live, f"version {version} of the rules in web {number}")

    async def settled(self, group: str) -> None:
        """Return once no queued reply to a group is on its way any more."""

        async def is_settled() -> bool:
            replies = await self.tables.replies(group)
            return not replies.keys() & {"pending", "sending"}

        await eventually(is_settled, f"every reply to {group} to end")


@dataclass(frozen=True, slots=True)
class Processes:
    """The children of one stack, and the database they share."""

    webs: list[Child]
    workers: list[Child]
    wechat: Child
    database_url: str

    def revive(self) -> None:
        """Start again what a test has ended."""
        for child in [*self.webs, *self.workers]:
            if child.process.poll() is not None:
                child.restart()


@contextmanager
def run_processes(
    database_url: str, folder: Path, *, webs: int = 1, workers: int = 1
) -> Iterator[Processes]:
    """Start everything on a migrated database, and end all of it, by force, at the end.

    folder: DATA_DIR of all processes, as on one machine.
    """
    port = free_port()
    simulate = [sys.executable, "-m", "simulator", "--port", str(port)]
    wechat = Child("wechat", simulate, folder, port=port)
    settings = account_settings() | {
        "DATABASE_URL": database_url,
        "DATA_DIR": str(folder),
        "WECHAT_API_BASE_URL": wechat.url,
        # A busy machine is no slow WeChat: a send that takes longer ends as of unknown outcome.
        "WECHAT_API_TIMEOUT_SECONDS": "5.5",
    }
    (folder / "media").mkdir()
    (folder / "media" / "shop.png").write_bytes(JPEG)
    services = [web(f"web-{number}", folder, settings) for number in range(webs)]
    helpers = [
        Child(f"worker-{number}", oa_bridge("worker"), folder, settings)
        for number in range(workers)
    ]
    children = [wechat, *services, *helpers]
    try:
        for child in children:
            child.start()
        for child in [wechat, *services]:
            child.listen()
        yield Processes(services, helpers, wechat, database_url)
    finally:
        for child in children:
            child.clean_up()


@asynccontextmanager
async def talking_to(processes: Processes) -> AsyncIterator[Stack]:
    """Yield what it takes to talk to a stack that runs."""
    async with httpx.AsyncClient(trust_env=False, timeout=90) as http:
        yield Stack(
            processes.webs,
            processes.workers,
            Peer(processes.wechat.url, http),
            Tables(processes.database_url),
            http,
        )


@asynccontextmanager
async def run_stack(
    database_url: str, folder: Path, *, webs: int = 1, workers: int = 1
) -> AsyncIterator[Stack]:
    """Run a stack of one test alone, answering with the rule of the shop."""
    with run_processes(database_url, folder, webs=webs, workers=workers) as processes:
        async with talking_to(processes) as stack:
            await stack.only_the_shop()
            yield stack


def web(name: str, folder: Path, settings: dict[str, str]) -> Child:
    """Return a web process on a free port, not started yet."""
    port = free_port()
    return Child(name, oa_bridge("serve"), folder, settings | {"PORT": str(port)}, port)


def account_settings() -> dict[str, str]:
    """Return the demonstration account as the environment names it."""
    return {
        "WECHAT_APPID": ACCOUNT.appid,
        "WECHAT_ORIGINAL_ID": ACCOUNT.original_id,
        "WECHAT_APPSECRET": ACCOUNT.secret,
        "WECHAT_TOKEN": ACCOUNT.token,
        "WECHAT_ENCODING_AES_KEY": ACCOUNT.encoding_aes_key,
        "ADMIN_TOKENS": ADMIN_TOKEN,
    }
