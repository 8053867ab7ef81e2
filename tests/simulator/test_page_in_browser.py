"""The chat page in Chromium, as wide as a phone."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Page, Route, ViewportSize, async_playwright, expect

from tests.chromium import CHROMIUM
from tests.simulator.conftest import OPENID, Service, Simulator

pytestmark = pytest.mark.browser

MESSAGES = 16  # more than fit
PHONE: ViewportSize = {"width": 390, "height": 844}


@asynccontextmanager
async def opened(simulator: Simulator) -> AsyncIterator[Page]:
    """Open the page, whose requests the simulator of the test answers."""

    async def answer(route: Route) -> None:
        url, request = urlsplit(route.request.url), route.request
        found = await simulator.http.request(
            request.method,
            url.path + (f"?{url.query}" if url.query else ""),
            content=request.post_data_buffer,
            headers={"content-type": request.headers.get("content-type", "")},
        )
        await route.fulfill(
            status=found.status_code, headers=dict(found.headers), body=found.content
        )

    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"]
        )
        page = await browser.new_page(viewport=PHONE)
        await page.route("**/*", answer)
        await page.goto("http://simulator/")
        yield page
        await browser.close()


async def test_on_a_phone_the_chat_comes_first_and_follows_new_messages(
    simulator: Simulator, service: Service
) -> None:
    async with opened(simulator) as page:
        await page.locator("#follower").select_option(OPENID)
        for number in range(MESSAGES):
            await page.fill("#text", f"message {number}")
            await page.press("#text", "Enter")
            await expect(page.locator("#chat li.mine")).to_have_count(number + 1)

        await expect(page.locator("#chat li.mine").last).to_be_in_viewport()
        await expect(page.locator("#text")).to_be_in_viewport()
        await expect(page.locator("#controls")).not_to_be_in_viewport()
        assert await page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
    assert len(service.received) == MESSAGES


async def test_a_refused_message_is_shown_in_red_with_its_reason(simulator: Simulator) -> None:
    assert await simulator.send("text", {"content": "a card"}) == 45015

    async with opened(simulator) as page:
        await page.locator("#follower").select_option(OPENID)
        refused = page.locator("#chat li.refused")
        await expect(refused).to_have_count(1)
        await expect(refused).to_contain_text("a card")
        await expect(refused).to_contain_text("45015")
        colour = await refused.locator(".bubble").evaluate("box => getComputedStyle(box).color")
        assert colour == "rgb(168, 40, 31)"
        await expect(refused.get_by_role("button", name="why?")).to_be_visible()
