"""An operator's whole job: from the sign-in link to signing out."""

import pytest

from tests.console.browser import ConsoleInBrowser, View
from tests.console.walk import prepare, walk

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def test_an_operator_does_the_whole_job(console_in_browser: ConsoleInBrowser) -> None:
    shown = []

    async def show(name: str) -> None:
        shown.append(name)

    await prepare(console_in_browser.service)
    faults = await walk(console_in_browser, View("zh"), show)

    assert faults == []
    assert shown == ["today", "rule", "rules", "messages", "message", "growth", "doctor"]
