"""Every campaign can be built, is described, and finds a service behind the balancer."""

import asyncio
import contextlib
import inspect
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app import clock
from app.clock import SystemClock
from tests.campaign.balancer import Balancer
from tests.campaign.campaigns import CAMPAIGNS
from tests.campaign.deployment import Shape, programs
from tests.campaign.options import Options
from tests.campaign.shifted_clock import VARIABLE, shift
from tests.docs.pages import LANGUAGES, named, page, rows
from tests.processes import free_port

HEADINGS = {"en": "## What faults cost", "zh": "## 故障的代价"}


@pytest.mark.parametrize("name", CAMPAIGNS)
def test_a_campaign_can_be_built(name: str) -> None:
    running = CAMPAIGNS[name](Options())
    assert inspect.iscoroutine(running)
    running.close()


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_operating_page_has_the_figures_of_every_campaign(language: str) -> None:
    table = rows(page(language, "operating.md"), beside=HEADINGS[language])
    listed = [named(cells[0])[0] for cells in table if named(cells[0])]

    assert listed == list(CAMPAIGNS)


def test_both_languages_have_the_same_figures() -> None:
    english, chinese = (
        [cells[2:] for cells in rows(page(language, "operating.md"), beside=HEADINGS[language])][1:]
        for language in LANGUAGES
    )

    assert english == chinese


def test_only_the_named_programs_have_another_clock(tmp_path: Path) -> None:
    webs, workers = programs(Shape(clocks={"web-0": 3600.0}), {}, tmp_path, tmp_path)

    assert [VARIABLE in child.settings for child in (*webs, *workers)] == [True, *[False] * 3]
    assert webs[0].command != webs[1].command


def test_a_clock_can_be_shifted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "machine_now", clock.machine_now)
    monkeypatch.setattr(SystemClock.__init__, "__defaults__", SystemClock.__init__.__defaults__)

    shift(3600)
    shifted = SystemClock()

    assert 3590 < (shifted.now() - datetime.now(UTC)).total_seconds() < 3610
    # The service sets it right.
    shifted.set(datetime.now(UTC))
    assert abs((shifted.now() - datetime.now(UTC)).total_seconds()) < 10


async def test_the_balancer_passes_over_a_service_that_is_down() -> None:
    async with echo() as port, Balancer.before([free_port(), port]) as balancer:
        heard = [await said(balancer.url, b"hello") for _ in range(4)]

    assert heard == [b"hello"] * 4


@asynccontextmanager
async def echo() -> AsyncIterator[int]:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(await reader.read(100))
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]


async def said(url: str, words: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rsplit(":", 1)[1]))
    writer.write(words)
    heard = await reader.read()
    writer.close()
    with contextlib.suppress(ConnectionError):
        await writer.wait_closed()
    return heard
