"""The components in Chromium: they look right everywhere, and do what they say."""

from collections.abc import Iterator

import pytest
from playwright.async_api import expect

from tests.console.browser import VIEWS, ConsoleInBrowser, View
from tests.console.gallery import Arrivals, add_gallery, gallery_template

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]
DESK = View("en", "light", 1280)


@pytest.fixture
def arrivals(console_in_browser: ConsoleInBrowser) -> Iterator[Arrivals]:
    """The page with every component, and what feeds its live list."""
    with gallery_template():
        yield add_gallery(console_in_browser.service)


@pytest.mark.usefixtures("arrivals")
async def test_every_component_in_every_view(console_in_browser: ConsoleInBrowser) -> None:
    for view in VIEWS:
        async with console_in_browser.look(view) as visit:
            await visit.open("/gallery")

            assert await visit.accessibility_faults() == [], view
            assert not await visit.is_wider_than_the_window(), view
            assert visit.faults.all == [], view


async def test_new_rows_wait_until_they_are_wanted(
    console_in_browser: ConsoleInBrowser, arrivals: Arrivals
) -> None:
    async with console_in_browser.visit(DESK) as visit:
        await visit.open("/gallery")
        rows = visit.page.locator("#list tbody tr")
        before = await rows.count()
        arrivals.waiting = ["<tr><td>first</td></tr>", "<tr><td>second</td></tr>"]
        await expect(visit.page.get_by_role("button", name="2 new")).to_be_visible()
        untouched = await rows.count()
        await visit.page.get_by_role("button", name="2 new").click()

        assert untouched == before
        await expect(rows).to_have_count(before + 2)
        await expect(rows.first).to_have_text("first")
        assert visit.faults.all == []


@pytest.mark.usefixtures("arrivals")
async def test_keys_do_what_the_list_of_keys_says_and_nothing_while_typing(
    console_in_browser: ConsoleInBrowser,
) -> None:
    async with console_in_browser.visit(DESK) as visit:
        await visit.open("/gallery")
        await visit.page.keyboard.press("/")
        await expect(visit.page.locator("[data-search]")).to_be_focused()
        await visit.page.keyboard.type("s?/")
        await expect(visit.page.locator("[data-search]")).to_have_value("s?/")
        await visit.page.locator("h1").click()
        await visit.page.keyboard.press("?")
        await expect(visit.page.locator("#keys")).to_be_visible()
        await visit.page.keyboard.press("Escape")
        await visit.page.keyboard.press("s")
        await visit.page.wait_for_url("**/console/settings")


@pytest.mark.usefixtures("arrivals")
async def test_a_dangerous_action_waits_for_the_text_that_confirms_it(
    console_in_browser: ConsoleInBrowser,
) -> None:
    async with console_in_browser.visit(DESK) as visit:
        await visit.open("/gallery")
        await visit.page.get_by_role("button", name="Erase", exact=True).click()
        erase = visit.page.get_by_role("button", name="Erase now")
        await expect(erase).to_be_disabled()
        await visit.page.get_by_label("to confirm").fill("小王")
        await erase.click()
        await expect(visit.page).to_have_title("小王")


@pytest.mark.usefixtures("arrivals")
async def test_a_filter_changes_the_list_and_the_address_without_a_reload(
    console_in_browser: ConsoleInBrowser,
) -> None:
    async with console_in_browser.visit(DESK) as visit:
        await visit.open("/gallery")
        await visit.page.evaluate("window.wasHere = true")
        await visit.page.locator("[data-search]").fill("商城 & <b>")
        await visit.page.keyboard.press("Enter")
        await expect(visit.page.locator("#list")).to_contain_text("商城 & <b>")

        assert "q=" in visit.page.url
        assert await visit.page.evaluate("window.wasHere") is True
        assert visit.faults.all == []


@pytest.mark.usefixtures("arrivals")
async def test_a_field_counts_bytes_and_a_masked_value_is_shown_on_demand(
    console_in_browser: ConsoleInBrowser,
) -> None:
    async with console_in_browser.visit(DESK) as visit:
        await visit.open("/gallery")
        await expect(visit.page.locator("#title-count")).to_have_text("6 of 64 bytes")
        await visit.page.locator("#title").fill("商城a")
        await expect(visit.page.locator("#title-count")).to_have_text("7 of 64 bytes")
        await visit.page.get_by_role("button", name="Show", exact=True).click()
        await expect(visit.page.locator(".masked")).to_have_text("oOPENID")
