"""The editor of menus with a mouse: buttons are moved by dragging."""

import pytest
from playwright.async_api import expect

from tests.console.browser import ConsoleInBrowser, View
from tests.console.made_menus import saved
from tests.menus.makers import click, menu

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def test_a_button_is_dragged_behind_its_siblings(
    console_in_browser: ConsoleInBrowser,
) -> None:
    names = ["One", "Two", "Three"]
    buttons = [click(name, f"key-{name}") for name in names]
    account = await saved(console_in_browser.service, menu(*buttons))
    async with console_in_browser.visit(View("en", "light", 1280)) as visit:
        await visit.open(f"/menus?appid={account.appid}")
        places = visit.page.locator("[data-menu-place]")
        await expect(places).to_have_text(names)
        # The button of the navigation is for narrow windows alone.
        await expect(visit.page.locator("[popovertarget=navigation]")).to_be_hidden()
        await places.nth(0).drag_to(places.nth(2))
        await visit.page.wait_for_url("**done=saved*")
        await expect(places).to_have_text(["Two", "Three", "One"])
        assert visit.faults.all == []
