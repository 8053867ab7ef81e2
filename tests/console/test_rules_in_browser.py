"""The editor as an operator uses it: with the keyboard alone, and when the session ends."""

import pytest
from playwright.async_api import expect

from app.access.sessions import MAX_IDLE
from tests.console.browser import ConsoleInBrowser, View
from tests.service import CARD_APPID

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]
DESK = View("en", "light", 1280)


async def test_a_keyword_card_rule_is_made_tried_and_saved_with_the_keyboard_alone(
    console_in_browser: ConsoleInBrowser,
) -> None:
    async with console_in_browser.visit(DESK) as visit:
        page, keys = visit.page, visit.page.keyboard

        async def to(selector: str) -> None:
            """Move on with the Tab key."""
            for _ in range(80):
                await keys.press("Tab")
                if await page.evaluate("s => document.activeElement.matches(s)", selector):
                    return
            raise AssertionError(selector)

        async def fill(selector: str, text: str) -> None:
            await to(selector)
            await keys.insert_text(text)

        await visit.open("/rules")
        await to("a[href*='/rules/new']")
        await keys.press("Enter")
        await page.wait_for_url("**/rules/new*")
        await fill("[name='name']", "商城")
        await fill("[name='trigger.keywords']", "商城\n店铺")
        await to("[name='add.kind']")
        await keys.type("Mini")
        await to("[value='add:replies']")
        await keys.press("Enter")
        title = page.locator("[name='replies.1.title']")
        await expect(title).to_be_visible()
        await page.locator("[name='replies.0.content']").focus()
        await keys.insert_text("one moment")
        await fill("[name='replies.1.title']", "Shop")
        await fill("[name='replies.1.appid']", CARD_APPID)
        await fill("[name='replies.1.pagepath']", "pages/index")
        await fill("[name='replies.1.thumb.file']", "shop.jpg")
        await fill("[name='try.text']", "去店铺")
        await expect(page.locator("#answer")).to_contain_text("This rule answers")
        await page.locator("[name='try.text']").press("Enter")
        await page.wait_for_url("**/rules/*done=saved")

        await expect(page.locator("#main")).to_contain_text("Saved")
        assert visit.faults.all == []


async def test_a_session_that_ends_while_one_edits_leaves_the_text(
    console_in_browser: ConsoleInBrowser,
) -> None:
    async with console_in_browser.visit(DESK) as visit:
        page = visit.page
        await visit.open("/rules/new")
        await page.locator("[name='replies.0.content']").fill("a long text")
        console_in_browser.service.clock.advance(MAX_IDLE)
        await page.get_by_role("button", name="Save").last.click()
        await expect(page.get_by_text("You were signed out")).to_be_visible()

        await expect(page.locator("[name='replies.0.content']")).to_have_value("a long text")
        assert visit.faults.violations == []
