"""The editor as an operator uses it: with the keyboard alone, and when the session ends."""

from uuid import UUID

import pytest
from playwright.async_api import FilePayload, expect

from app.access.sessions import MAX_IDLE
from tests.console import made_imports
from tests.console.browser import ConsoleInBrowser, View
from tests.rules.makers import JPEG
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
        await page.route("**/rules/edit", lambda route: route.abort())
        await page.get_by_role("button", name="Save").last.click()
        await expect(page.get_by_text("The service does not answer.")).to_be_visible()
        await page.unroute("**/rules/edit")
        await page.locator("[name='try.text']").fill("shop")
        await expect(page.get_by_text("The service does not answer.")).to_be_hidden()
        console_in_browser.service.clock.advance(MAX_IDLE)
        await page.get_by_role("button", name="Save").last.click()
        await expect(page.get_by_text("You were signed out")).to_be_visible()

        await expect(page.locator("[name='replies.0.content']")).to_have_value("a long text")
        assert visit.faults.violations == []


async def test_a_picture_is_not_sent_with_what_only_judges_the_rule(
    console_in_browser: ConsoleInBrowser,
) -> None:
    async with console_in_browser.visit(DESK) as visit:
        page = visit.page
        await visit.open("/rules/new?reply=miniprogrampage")
        async with page.expect_request("**/rules/try") as asked:
            await page.locator("[type='file']").set_input_files(
                {"name": "photo.jpg", "mimeType": "image/jpeg", "buffer": JPEG + b"x" * 2_000_000}
            )
        request = await asked.value

        assert len(request.post_data_buffer or b"") < 10_000
        assert "try.text" in (request.post_data or "")
        assert visit.faults.all == []


async def test_an_import_shows_how_far_it_is_and_survives_a_reload(
    console_in_browser: ConsoleInBrowser,
) -> None:
    service = console_in_browser.service
    content = made_imports.document("Imported")
    async with console_in_browser.visit(DESK) as visit:
        page = visit.page
        await visit.open("/rules/import")
        file = FilePayload(name="rules.json", mimeType="application/json", buffer=content)
        await page.locator("#file").set_input_files(file)
        await page.locator("#from-file").get_by_role("button", name="Preview").click()
        await page.wait_for_url("**/rules/imports/*")
        import_id = UUID(page.url.rsplit("/", 1)[1])
        await expect(page.get_by_text("No worker runs")).to_be_visible()
        await page.reload()
        await expect(page.get_by_text("Waits for a worker", exact=True)).to_be_visible()

        await made_imports.work(service, import_id)
        await page.get_by_role("button", name="Import now").click()
        await expect(page.get_by_text("Being imported")).to_be_visible()
        await made_imports.work(service, import_id)
        await expect(page.get_by_text("Every process uses the rules soon.")).to_be_visible()
        await page.get_by_role("link", name="Show the rules").click()
        await expect(page.get_by_role("main").get_by_text("Imported")).to_be_visible()
        assert visit.faults.all == []


async def test_a_file_that_is_none_is_refused_beside_the_form(
    console_in_browser: ConsoleInBrowser,
) -> None:
    async with console_in_browser.visit(DESK) as visit:
        page = visit.page
        await visit.open("/rules/import")
        await page.locator("#from-file").get_by_role("button", name="Preview").click()
        await expect(page.locator("#problems")).to_contain_text("Choose a file first.")
        assert visit.faults.violations == []
