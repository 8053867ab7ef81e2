"""The page of articles in Chromium, with what it shows after its form was sent."""

import pytest
from playwright.async_api import expect

from tests.console.browser import ConsoleInBrowser, View
from tests.console.made_links import an_article_form
from tests.service import APPID

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]
TYPED = {
    "title": "夏季 Summer",
    "content": "<p>before</p>{mini_program}",
    "image_url": "https://mmbiz.example.com/shop.jpg",
    "thumb_media_id": "COVER",
}


@pytest.mark.parametrize("view", [View("zh", "light", 360), View("en", "light", 1280)], ids=str)
async def test_the_html_and_a_refusal_are_shown(
    console_in_browser: ConsoleInBrowser, view: View
) -> None:
    path = await an_article_form(console_in_browser.service)
    async with console_in_browser.look(view) as visit:
        page = visit.page
        await visit.open(path)
        await page.select_option("[name=link]", "summer26")
        await page.select_option("[name=appid]", APPID)
        for name, value in TYPED.items():
            await page.fill(f"[name={name}]", value)
        for button, shown in (
            ("[formaction$='/articles/markup']", "#html-card"),
            ("[action$='/articles/draft'] .btn-primary", ".notice-fault"),
        ):
            await page.click(button)
            await expect(page.locator(shown)).to_be_visible()

            assert await page.input_value("[name=title]") == TYPED["title"]
            assert await visit.accessibility_faults() == []
            assert not await visit.is_wider_than_the_window()
        # The refusal is a page with status 422, which Chromium notes.
        assert [fault for fault in visit.faults.all if "422" not in fault] == []
