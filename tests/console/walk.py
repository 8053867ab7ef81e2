"""The whole job of an operator in the browser, once, with a place to take pictures.

Nothing is found by its words, so that it goes the same way in both languages.
"""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Final

from playwright.async_api import Page, expect

from app.access.roles import Role
from simulator import demo
from tests.console.browser import ConsoleInBrowser, View, Visit
from tests.console.made_messages import fail_replies
from tests.console.operator import sign_in_path
from tests.service import CARD_APPID, Service, event, message

PICTURE: Final = Path(demo.__file__).parent / "playground" / "shop.png"
SAID: Final = ("你好", "营业时间", "发货了吗", "优惠券", "营业时间")
NAMES: Final = {"zh": "小王", "en": "Wang"}

# Is told the name of each page that is worth a picture, while the page is open.
Show = Callable[[str], Awaitable[None]]


async def prepare(service: Service) -> None:
    """Let people follow and write before anybody looks."""
    for number, openid in enumerate(demo.OPENIDS):
        key = "qrscene_spring" if number % 2 else ""
        await service.push(event(service.clock, "subscribe", openid=openid, EventKey=key))
        service.clock.advance(timedelta(seconds=20))
    for number, said in enumerate(SAID):
        openid = demo.OPENIDS[number % len(demo.OPENIDS)]
        await service.push(message(service.clock, said, openid=openid))
        service.clock.advance(timedelta(seconds=40))


async def walk(console: ConsoleInBrowser, view: View, show: Show) -> list[str]:
    """Do the whole job; return what the pages did that they must not do."""
    service = console.service
    link = await sign_in_path(service, NAMES[view.language], Role.OWNER, view.language)
    async with console.visit(view, role=None) as visit:
        page = visit.page
        await page.goto(f"{visit.origin}{link}")
        await page.locator("main form button").click()
        await page.wait_for_url("**/console/today")
        await show("today")
        await make_a_rule(page, show)
        await see_a_message(service, page, show)
        await send_again(service, page, show)
        await read_the_rest(visit, show)
        faults = visit.faults.all  # what follows is a page with the status 401, a fault to Chromium
        await page.locator("form[action$='/sign-out'] button").click()
        await expect(page.locator("form[action$='/sign-out']")).to_have_count(0)
        return faults


async def make_a_rule(page: Page, show: Show) -> None:
    """Make a rule with a card and its picture, and try it before it is saved."""
    await page.locator("nav a[href$='/rules']").click()
    await page.locator("a[href*='/rules/new']").first.click()
    await page.locator("[name='name']").fill("商城")
    await page.locator("[name='trigger.keywords']").fill("商城\n店铺")
    await page.locator("[name='replies.0.content']").fill("马上就来")
    await page.locator("[name='add.kind']").select_option("miniprogrampage")
    await page.locator("[value='add:replies']").click()
    await page.locator("[name='replies.1.title']").fill("商城")
    await page.locator("[name='replies.1.appid']").fill(CARD_APPID)
    await page.locator("[name='replies.1.pagepath']").fill("pages/index")
    await page.locator("[name='upload.replies.1.thumb']").set_input_files(PICTURE)
    await page.locator("[value='upload:replies.1.thumb']").click()
    await expect(page.locator("img.thumbnail")).to_be_visible()
    await page.locator("[name='try.text']").fill("去店铺看看")
    await expect(page.locator("#answer strong").first).to_be_visible()
    await show("rule")
    await page.locator("button.btn-primary[value='save']").click()
    await page.wait_for_url("**/rules/*done=saved")
    await page.locator("nav a[href$='/rules']").click()
    await show("rules")


async def see_a_message(service: Service, page: Page, show: Show) -> None:
    """See a message arrive while the list is open."""
    await service.app.state.rules.load_once()
    async with page.expect_response("**/messages/stream*"):
        await page.locator("nav a[href$='/messages']").click()
    rows = page.locator('#messages th[scope="row"]')
    before = await rows.count()
    # The feed begins with its first poll: a message that comes before it is in no batch.
    with service.app.state.live_messages.looking():
        await service.push(message(service.clock, "商城", openid=demo.OPENIDS[0]))
        await page.locator("[data-live-show]").click()
    await expect(rows).to_have_count(before + 1)
    await show("messages")


async def send_again(service: Service, page: Page, show: Show) -> None:
    """Read why a card did not arrive, and send it again."""
    await fail_replies(service)
    await page.locator('#messages th[scope="row"] a').first.click()
    await expect(page.locator("form[action$='/retry'] button")).to_be_visible()
    await show("message")
    await page.locator("form[action$='/retry'] button").click()
    await expect(page.locator("form[action$='/retry'] button")).to_have_count(0)


async def read_the_rest(visit: Visit, show: Show) -> None:
    """Read the growth chart, and let the doctor ask WeChat."""
    await visit.open("/followers/growth")
    await expect(visit.page.locator("svg").first).to_be_visible()
    await show("growth")
    await visit.page.locator("nav a[href$='/doctor']").click()
    await expect(visit.page.locator("#findings")).to_be_visible()
    await show("doctor")
    await visit.page.locator("form[action$='/doctor/check'] button").click()
    await visit.page.wait_for_url("**/doctor?done=asked")
