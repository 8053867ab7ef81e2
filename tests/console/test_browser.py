"""Each page in Chromium: nothing refused by its policy, no error, nothing from elsewhere, axe."""

import pytest

from tests.console.browser import EXAMINED, VIEWS, ConsoleInBrowser, View
from tests.console.pages import PAGES, Page, prepare

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

OF_STRANGERS = ("/settings", "/sign-in/anything", "/no-such-page")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.path)
async def test_a_page_in_every_view(console_in_browser: ConsoleInBrowser, page: Page) -> None:
    console = console_in_browser
    path = await prepare(page, console.service)
    for view in VIEWS:
        async with console.look(view, role=page.role) as visit:
            await visit.open(path)

            if view in EXAMINED:
                assert await visit.accessibility_faults() == [], view
            assert not await visit.is_wider_than_the_window(), view
            assert visit.faults.all == [], view


# The smallest letters of a drawing that is shown, in pixels of the page.
SMALLEST_LETTERS = """() => Math.min(
  ...[...document.querySelectorAll(".chart svg text")]
    .filter((text) => text.getBoundingClientRect().width > 0)
    .map((text) => parseFloat(getComputedStyle(text).fontSize) * text.getScreenCTM().a))"""
MIN_LETTERS = 11.0


async def test_labels_of_charts_can_be_read_in_every_width(
    console_in_browser: ConsoleInBrowser,
) -> None:
    console = console_in_browser
    page = next(page for page in PAGES if page.path == "/followers/growth (filled)")
    path = await prepare(page, console.service)
    async with console.visit(View("en"), role=page.role) as visit:
        for width in (360, 500, 768, 900, 1280):
            await visit.page.set_viewport_size({"width": width, "height": 800})
            await visit.open(path)

            assert await visit.page.evaluate(SMALLEST_LETTERS) >= MIN_LETTERS, width


# The colour of each shade of the heat map, and what stands above its tables.
SHADES = """() => Object.fromEntries([...document.querySelectorAll("td[class*=heat-]")].map(
  (cell) => [cell.className.match(/heat-(.)/)[1], getComputedStyle(cell).backgroundColor]))"""
TABLES_OF_RETENTION = ["Still following", "Wrote", "Entered a mini-program", "Converted"]


async def test_the_heat_map_has_a_colour_for_each_shade(
    console_in_browser: ConsoleInBrowser,
) -> None:
    console = console_in_browser
    page = next(page for page in PAGES if page.path == "/funnel/retention (filled)")
    path = await prepare(page, console.service)
    async with console.visit(View("en"), role=page.role) as visit:
        await visit.open(path)

        colours = await visit.page.evaluate(SHADES)
        assert {"0", "5"} <= colours.keys()
        assert len({*colours.values()}) == len(colours)
        assert await visit.page.locator("h2:visible").all_inner_texts() == TABLES_OF_RETENTION


HIDDEN_COLUMNS = """() => [...document.querySelectorAll(".table-frame")]
  .filter((frame) => frame.scrollWidth > frame.clientWidth)
  .map((frame) => frame.getAttribute("aria-label"))"""


@pytest.mark.parametrize("language", ["en", "zh"])
async def test_no_rate_of_the_funnel_is_hidden_in_a_window_of_usual_width(
    console_in_browser: ConsoleInBrowser, language: str
) -> None:
    console = console_in_browser
    page = next(page for page in PAGES if page.path == "/funnel (filled)")
    path = await prepare(page, console.service)
    async with console.visit(View(language), role=page.role) as visit:
        await visit.page.set_viewport_size({"width": 1280, "height": 800})
        await visit.open(path)

        assert await visit.page.evaluate(HIDDEN_COLUMNS) == []


async def test_the_pages_of_strangers(console_in_browser: ConsoleInBrowser) -> None:
    async with console_in_browser.visit(View()):
        pass  # there is an operator now
    for view in VIEWS:
        async with console_in_browser.look(view, role=None) as visit:
            for path in OF_STRANGERS:
                await visit.open(path)

                if view in EXAMINED:
                    assert await visit.accessibility_faults() == [], (view, path)
                assert not await visit.is_wider_than_the_window(), (view, path)
            refusals = [text for text in visit.faults.console if "status of 40" in text]
            assert visit.faults.all == refusals, view
