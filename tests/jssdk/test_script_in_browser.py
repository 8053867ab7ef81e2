"""`/jssdk/v1.js` in Chromium, on the page of the documentation, with a stand-in for `wx`."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.async_api import Page, Route, async_playwright, expect

from app.worker import Jobs
from tests.chromium import CHROMIUM
from tests.service import APPID, Service

pytestmark = pytest.mark.browser

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "jssdk.html"
PAGE = "https://www.example.com/shop?from=timeline"
MOBILE = "Mozilla/5.0 (Linux; Android 13) AppleWebKit/537.36 Chrome/130.0 Mobile Safari/537.36"
IN_WECHAT = f"{MOBILE} MicroMessenger/8.0.50"
WX = """
window.wx = {
  config(given) { window.given = given; },
  error(failed) { window.refuse = failed; },
};
"""
TAG = "wx-open-launch-weapp"


@asynccontextmanager
async def opened(service: Service, agent: str, sdk: str | None = WX) -> AsyncIterator[Page]:
    """Open the page of the documentation. sdk: what the address of the JS-SDK gives; None: 404."""
    html = EXAMPLE.read_text(encoding="utf-8").replace("wx0123456789abcdef", APPID)

    async def answer(route: Route) -> None:
        url = urlsplit(route.request.url)
        if url.hostname == "res.wx.qq.com":
            await route.fulfill(status=404 if sdk is None else 200, body=sdk or "")
        elif url.hostname == "oa.example.com":
            path = url.path + (f"?{url.query}" if url.query else "")
            origin = {"Origin": route.request.headers.get("origin", "")}
            found = await service.http.get(path, headers=origin)
            headers = dict(found.headers)
            await route.fulfill(status=found.status_code, headers=headers, body=found.content)
        else:
            await route.fulfill(body=html, content_type="text/html; charset=utf-8")

    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"]
        )
        page = await browser.new_page(user_agent=agent)
        await page.route("**/*", answer)
        await page.goto(PAGE)
        yield page
        await browser.close()


async def expect_link(page: Page) -> None:
    """Wait until the content leads to the short URL, and is shown as it was."""
    link = page.locator("[data-mini-program] > a")
    await expect(link).to_have_attribute("href", "https://oa.example.com/go/summer26")
    await expect(link.get_by_role("button")).to_have_text("进入小程序 · Open the mini-program")
    await expect(page.locator(TAG)).to_have_count(0)


async def test_in_wechat_the_element_becomes_an_open_tag_with_attribution(
    service: Service, jobs: Jobs
) -> None:
    await jobs.renew_tickets()
    async with opened(service, IN_WECHAT) as page:
        tag = page.locator(TAG)
        await expect(tag).to_have_attribute("username", "gh_0123456789ab")
        path, _, query = (await tag.get_attribute("path") or "").partition("?")
        assert path == "pages/shop/index.html"
        told = parse_qs(query)
        assert re.fullmatch(r"summer26\.[\w-]{12}", told.pop("ref")[0])
        assert told == {"from": ["h5"], "utm_source": ["h5"], "utm_campaign": ["summer26"]}
        assert "<button>" in await tag.locator("script").inner_text()
        given = await page.evaluate("window.given")
        assert (given["appId"], len(given["signature"])) == (APPID, 40)
        assert TAG in given["openTagList"]

        # A page with another address asks again; what is a tag stays one.
        await page.evaluate("history.pushState({}, '', '/other'); oaBridge()")
        await page.wait_for_function(f"window.given.signature !== '{given['signature']}'")
        await expect(tag).to_have_count(1)

        # WeChat refuses the tags of a page, or one of them.
        await page.evaluate("document.dispatchEvent(new Event('WeixinOpenTagsError'))")
        await expect_link(page)


@pytest.mark.parametrize("refusal", ["tag", "wx", "sdk", "ticket"])
async def test_what_is_refused_leads_to_the_short_url(
    service: Service, jobs: Jobs, refusal: str
) -> None:
    if refusal != "ticket":
        await jobs.renew_tickets()
    async with opened(service, IN_WECHAT, None if refusal == "sdk" else WX) as page:
        if refusal in {"tag", "wx"}:
            await expect(page.locator(TAG)).to_have_count(1)
        if refusal == "tag":
            await page.locator(TAG).evaluate("tag => tag.dispatchEvent(new Event('error'))")
        elif refusal == "wx":
            await page.evaluate("window.refuse({errMsg: 'config:invalid signature'})")
        await expect_link(page)


async def test_outside_wechat_the_content_leads_to_the_short_url(service: Service) -> None:
    async with opened(service, MOBILE) as page:
        await expect_link(page)
        assert await page.evaluate("window.given === undefined")
