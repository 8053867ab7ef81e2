"""What a browser without JavaScript can do: everything, with a page for each step."""

import pytest
from playwright.async_api import expect

from app.access.roles import Role
from app.console.session_cookie import LOOPBACK_NAME
from tests.console import made_messages
from tests.console.browser import ConsoleInBrowser
from tests.console.operator import session_of
from tests.service import OPENID, text_reply

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def test_values_are_shown_and_dialogs_opened(console_in_browser: ConsoleInBrowser) -> None:
    console = console_in_browser
    secret = await session_of(console.service, "小王", Role.OWNER, "en")
    rule_id = await console.service.add_rule(text_reply(), name="Of no use")
    message = await made_messages.a_failed_message(console.service)
    context = await console.browser.new_context(java_script_enabled=False)
    try:
        await context.add_cookies([{"name": LOOPBACK_NAME, "value": secret, "url": console.origin}])
        page = await context.new_page()
        await page.goto(f"{console.origin}/console{message}")
        await page.get_by_role("button", name="Show", exact=True).first.click()
        await expect(page.get_by_role("main")).to_contain_text(OPENID)
        await expect(page.get_by_role("navigation")).to_be_visible()

        await page.get_by_role("button", name="Keys").click()
        await expect(page.get_by_role("dialog")).to_contain_text("Go to the search field")
        await page.get_by_role("button", name="Close").click()
        await expect(page.get_by_role("dialog")).to_have_count(0)

        await page.goto(f"{console.origin}/console/rules/{rule_id}")
        await page.get_by_role("button", name="Delete").click()
        await page.get_by_role("dialog").get_by_role("button", name="Delete").click()
        await expect(page.get_by_text("Of no use")).to_have_count(0)
        assert page.url.startswith(f"{console.origin}/console/rules?")
    finally:
        await context.close()
