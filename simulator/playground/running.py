"""The programs of the playground, and what is printed about them."""

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import httpx
from rich.console import Console

from simulator.playground.children import Child, Children, end_of
from simulator.playground.errors import PlaygroundError
from simulator.playground.owner import sign_in_link
from simulator.playground.postgres import Postgres
from simulator.playground.rules import add_samples, copy_picture
from simulator.playground.setup import Setup, bare_environment
from simulator.playground.story import POLL_SECONDS, send_message
from simulator.playground.trace import show_addresses, show_sign_in_link, show_trace

OA_BRIDGE = str(Path(sys.executable).with_name("oa-bridge"))
READY_SECONDS = 60.0
RULES_SECONDS = 5.0


class Playground:
    """Postgres, the service, its worker and the simulator."""

    def __init__(self, setup: Setup, console: Console) -> None:
        self.children = Children(setup.data_dir, setup.data_dir / "logs")
        self._postgres = Postgres(setup.data_dir)
        self._console = console
        self._setup = setup
        self._sign_in_link = ""

    async def demonstrate(self) -> None:
        """Start everything, send one message and show what happened. Raises PlaygroundError."""
        started = time.monotonic()
        self._console.print("OA Bridge playground", style="bold green")
        self._say("Starting Postgres, service, worker and simulator; the first time takes longer.")
        try:
            await self._start()
            await self._send_one()
        except httpx.HTTPError as error:
            raise PlaygroundError(f"{type(error).__name__}: {error}") from error
        show_addresses(self._console, self._setup)
        self._say(f"\nReady after {time.monotonic() - started:.1f} s.")

    def show_hint(self) -> None:
        """Print how to go on and how to stop."""
        self._say("Write to the account on the chat page. Ctrl-C stops everything.")

    def report(self, child: Child) -> None:
        """Print that a program has ended, with the end of its log."""
        self._console.print(f"[bold red]{child.name} {end_of(child)}[/]; its log ends with:")
        self._console.print(child.last_lines(), markup=False, highlight=False, soft_wrap=True)

    async def stop(self) -> None:
        """Stop every program, then Postgres."""
        self._say("Stopping.")
        await self.children.stop()
        await self._postgres.stop()

    async def _start(self) -> None:
        setup = self._setup
        copy_picture(setup.media_dir)
        await self.children.start(
            "simulator",
            *(sys.executable, "-m", "simulator", "--port", str(setup.simulator_port)),
            *("--callback-url", setup.service + "/callback/{appid}"),
            environment={**bare_environment(), "SIMULATOR_ADMIN_TOKEN": setup.admin_token},
        )
        database_url = await self._postgres.start()
        self._sign_in_link = await sign_in_link(database_url, setup.service)
        environment = setup.environment(database_url)
        for name in ("serve", "worker"):
            await self.children.start(name, OA_BRIDGE, name, environment=environment)

    async def _send_one(self) -> None:
        headers = {"Authorization": f"Bearer {self._setup.admin_token}"}
        async with (
            _client(self._setup.service, headers) as service,
            _client(self._setup.simulator) as simulator,
        ):
            await _ready(simulator, "/_sim/state")
            await _ready(service, "/readyz")
            show_sign_in_link(self._console, self._sign_in_link)
            await self._add_rules(service)
            show_trace(self._console, await send_message(service, simulator))

    async def _add_rules(self, service: httpx.AsyncClient) -> None:
        before = await _rules_version(service)
        added = await add_samples(service)

        async def are_served() -> bool:
            return await _rules_version(service) >= before + added

        if not await _becomes_true(are_served, RULES_SECONDS):
            raise PlaygroundError("the service does not load new rules")
        self._say(f"{added} sample rules added." if added else "The sample rules are there.")

    def _say(self, text: str) -> None:
        self._console.print(text, highlight=False)


def _client(base_url: str, headers: dict[str, str] | None = None) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=base_url, headers=headers, trust_env=False)


async def _ready(client: httpx.AsyncClient, path: str) -> None:
    """Wait until the address answers 200. Raises PlaygroundError after a minute."""

    async def answers() -> bool:
        with suppress(httpx.TransportError):
            return (await client.get(path)).is_success
        return False

    if not await _becomes_true(answers, READY_SECONDS):
        raise PlaygroundError(f"{client.base_url}{path} did not become ready")


async def _rules_version(service: httpx.AsyncClient) -> int:
    parts = (await service.get("/readyz")).json()["parts"]
    return int(parts["rules"]["version"] or 0)


async def _becomes_true(check: Callable[[], Awaitable[bool]], seconds: float) -> bool:
    """Repeat a check until it succeeds; return False if it has not after `seconds`."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if await check():
            return True
        await asyncio.sleep(POLL_SECONDS)
    return False
