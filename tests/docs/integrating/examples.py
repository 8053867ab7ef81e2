"""The examples of the page *Integrating*, and how they are run in each language."""

import asyncio
import atexit
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest
import uvicorn
from starlette.types import ASGIApp

from tests.processes import free_port
from tests.waiting import eventually

ROOT = Path(__file__).resolve().parents[3]
FOLDER = ROOT / "docs" / "examples"
PASSED_ON = ("PATH", "HOME", "LANG")
# These programs end before a better compiler could pay.
QUICK_START = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")


@dataclass(frozen=True, slots=True)
class Language:
    """fence: what a code block of it is called in a page. program: what has to be installed."""

    name: str
    fence: str
    program: str
    suffix: str

    def path(self, example: str) -> Path:
        """Return the file of an example; Java's is named as its class."""
        if self.name == "java":
            example = "".join(word.capitalize() for word in example.split("_"))
        return FOLDER / self.name / f"{example}.{self.suffix}"

    def command(self, example: str, *arguments: str) -> list[str]:
        """Return the command line that runs an example."""
        path = self.path(example)
        if self.name == "java":
            return ["java", *QUICK_START, "-cp", str(_java_classes()), path.stem, *arguments]
        return [self.program, str(path), *arguments]

    def require(self) -> None:
        """Skip the test, saying why, where the language is not at hand."""
        if shutil.which(self.program) is None:
            pytest.skip(f"{self.program} is not installed: the {self.name} examples are not run")
        if self.name == "php" and not _has_curl():
            pytest.skip("PHP has no curl extension: the php examples are not run")


@cache
def _java_classes() -> Path:
    """Compile the Java examples once: `java FILE` would do it again at each start."""
    folder = Path(tempfile.mkdtemp(prefix="oa-bridge-java-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    sources = sorted(str(path) for path in (FOLDER / "java").glob("*.java"))
    options = ["-encoding", "UTF-8", "-Xlint:all", "-Werror", "-d", str(folder)]
    subprocess.run(["javac", *options, *sources], check=True)
    return folder


def _has_curl() -> bool:
    modules = subprocess.run(["php", "-m"], capture_output=True, text=True, check=True)
    return re.search(r"^curl$", modules.stdout, re.MULTILINE) is not None


LANGUAGES = (
    Language("python", "python", sys.executable, "py"),
    Language("node", "javascript", "node", "mjs"),
    Language("java", "java", "javac", "java"),
    Language("php", "php", "php", "php"),
)
EXAMPLES = (
    "webhook_receiver",
    "report_identity",
    "report_arrivals",
    "change_rule",
    "read_followers",
)


@dataclass(frozen=True, slots=True)
class Ended:
    """How a program ended, and what it printed."""

    status: int
    output: str

    @property
    def lines(self) -> list[str]:
        """What it printed, line by line."""
        return self.output.splitlines()


def environment(settings: Mapping[str, str]) -> dict[str, str]:
    """Return all that an example gets: no proxy of this machine may be between."""
    inherited = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    return {**inherited, "PYTHONWARNINGS": "error", **settings}


async def run(command: list[str], settings: Mapping[str, str]) -> Ended:
    """Run a program to its end."""
    process = await asyncio.create_subprocess_exec(
        *command,
        env=environment(settings),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    assert process.returncode is not None
    return Ended(process.returncode, output.decode())


@asynccontextmanager
async def listening(
    command: list[str], settings: Mapping[str, str], log: Path, port: int
) -> AsyncIterator[None]:
    """Run a program that listens on `port`, and end it; its output goes to `log`."""
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *command, env=environment(settings), stdout=output, stderr=output
        )

    async def answers() -> bool:
        assert process.returncode is None, f"{command[0]} has ended: see {log}"
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            return False
        writer.close()
        await writer.wait_closed()
        return True

    try:
        await eventually(answers, f"{command[0]} to listen")
        yield
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


@asynccontextmanager
async def served(app: ASGIApp) -> AsyncIterator[str]:
    """Serve an application that has started on a real port; yield its base URL."""
    port = free_port()
    config = uvicorn.Config(
        app, port=port, lifespan="off", ws="none", log_config=None, access_log=False
    )
    server = uvicorn.Server(config)
    running = asyncio.create_task(server.serve())

    async def started() -> bool:
        return server.started

    try:
        await eventually(started, "the server to start")
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        await running
