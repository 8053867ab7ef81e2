"""Sessions as a browser has them: signing in by keyboard, links from elsewhere, an early end."""

import pytest
from playwright.async_api import expect

from app.access.roles import Role
from app.access.sessions import MAX_IDLE
from tests.console.browser import ConsoleInBrowser, View
from tests.console.gallery import add_gallery, gallery_template
from tests.console.operator import sign_in_path

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]
DESK = View("en", "light", 1280)


async def test_one_signs_in_and_out_with_the_keyboard_alone(
    console_in_browser: ConsoleInBrowser,
) -> None:
    path = await sign_in_path(console_in_browser.service, "小王", Role.VIEWER, "en")
    async with console_in_browser.visit(DESK, role=None) as visit:
        page = visit.page
        await page.goto(f"{visit.origin}{path}")
        await page.keyboard.press("Tab")
        await expect(page.get_by_text("Skip to the content")).to_be_focused()
        await page.keyboard.press("Enter")
        await page.keyboard.press("Tab")
        async with page.expect_request(lambda request: request.method == "POST") as sending:
            await page.keyboard.press("Enter")
        sent = await (await sending.value).all_headers()
        # What the gate looks at where a browser sends no Sec-Fetch-Site.
        assert sent["origin"] == visit.origin
        await expect(page.get_by_role("banner").get_by_text("小王")).to_be_visible()
        # The sections stand beside the page: there is nothing to open.
        await expect(page.get_by_text("Menu", exact=True)).to_be_hidden()
        await page.get_by_role("button", name="Sign out").focus()
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


async def test_a_link_in_a_chat_leads_to_the_page_and_not_to_the_sign_in(
    console_in_browser: ConsoleInBrowser,
) -> None:
    async with console_in_browser.visit(DESK) as visit:
        # Another site, for which the browser keeps the cookie back.
        elsewhere = visit.origin.replace("127.0.0.1", "localhost")
        await visit.page.goto(f"{elsewhere}/livez")
        await visit.page.evaluate(
            "address => { location.href = address }", f"{visit.origin}/console/settings"
        )
        await expect(visit.page.get_by_role("heading", name="Settings", exact=True)).to_be_visible()


async def test_a_session_that_ends_while_one_writes_leaves_the_text(
    console_in_browser: ConsoleInBrowser,
) -> None:
    service = console_in_browser.service
    with gallery_template():
        add_gallery(service)
        async with console_in_browser.visit(DESK) as visit:
            page = visit.page
            await visit.open("/gallery")
            await page.locator("#text").fill("a long text")
            service.clock.advance(MAX_IDLE)
            await page.locator("[data-search]").fill("x")
            await page.keyboard.press("Enter")
            await expect(page.get_by_text("You were signed out")).to_be_visible()

            await expect(page.locator("#text")).to_have_value("a long text")
            await expect(page.locator("#list")).to_be_visible()
            assert visit.faults.violations == []


async def test_the_navigation_of_a_phone_opens_and_leads_on(
    console_in_browser: ConsoleInBrowser,
) -> None:
    async with console_in_browser.visit(View("en", "light", 360)) as visit:
        await visit.open("/audit")
        link = visit.page.get_by_role("link", name="Settings")
        await expect(link).to_be_hidden()
        await visit.page.get_by_role("button", name="Menu").click()
        await link.click()
        await visit.page.wait_for_url("**/console/settings")
        # Where the navigation stands beside the page, nothing opens it.
        await visit.page.set_viewport_size({"width": 1280, "height": 800})
        await expect(link).to_be_visible()
        await expect(visit.page.get_by_role("button", name="Menu")).to_be_hidden()
