"""The messages as an operator watches them: one arrives, its card fails, it is sent again."""

import pytest
from playwright.async_api import expect

from tests.console.browser import ConsoleInBrowser, View
from tests.console.made_messages import fail_replies
from tests.service import card, message

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


WATCH = "document.addEventListener('rows', () => { document.body.dataset.rows = 'came'; })"


async def test_a_message_arrives_live_and_its_failed_card_is_sent_again(
    console_in_browser: ConsoleInBrowser,
) -> None:
    service = console_in_browser.service
    await service.add_rule(card())
    await service.push(message(service.clock, "before"))
    async with console_in_browser.visit(View("en")) as visit:
        page = visit.page
        async with page.expect_response("**/messages/stream?**"):
            await visit.open("/messages")
        await expect(page.locator('#messages th[scope="row"]')).to_have_count(1)
        # What comes while the list is paused is not lost, nor what came before the stream began.
        live = page.get_by_role("switch", name="Live")
        await live.uncheck()
        await page.evaluate(WATCH)
        await service.push(message(service.clock))
        await expect(page.locator("body")).to_have_attribute("data-rows", "came")
        await expect(page.get_by_role("button", name="1 new")).to_be_hidden()
        await live.check()
        await page.get_by_role("button", name="1 new").click()
        await expect(page.locator('#messages th[scope="row"]')).to_have_count(2)
        await expect(page.locator("#messages tr.day")).to_have_count(1)

        await fail_replies(service)
        await page.locator('#messages th[scope="row"] a').first.click()
        await expect(page.get_by_text("Not delivered")).to_be_visible()
        await expect(page.get_by_text("WeChat's code 40166")).to_be_visible()
        await page.get_by_role("button", name="Show").first.click()
        await page.get_by_role("button", name="Send again").click()
        await expect(page.get_by_text("The reply is sent again.")).to_be_visible()
        await expect(page.get_by_text("Waiting to be sent")).to_be_visible()
        assert visit.faults.all == []
