"""Who may still be sent to: counted by template, listed for one, OpenIDs masked."""

import html
import re

import pytest

from app.console.subscriptions import recipients_page
from tests.console.operator import Operator
from tests.console.people import HOSTILE, TEMPLATE, deliver, subscribe
from tests.service import APPID, OPENID, OTHER_OPENID, Service

PATH = "/subscriptions/recipients"


async def test_people_are_counted_by_template(service: Service, viewer: Operator) -> None:
    await subscribe(service)
    await subscribe(service, OTHER_OPENID)
    await subscribe(service, OTHER_OPENID, "reject", HOSTILE)
    page = (await viewer.get(PATH)).text

    assert re.findall(r'data-label="People">([^<]*)<', page) == ["2"]
    assert "<b onclick" not in page


async def test_who_was_sent_the_only_notification_is_not_listed(
    service: Service, viewer: Operator
) -> None:
    await subscribe(service)
    await subscribe(service, OTHER_OPENID)
    await deliver(service, "0", OTHER_OPENID)
    page = (await viewer.get(PATH, appid=APPID, template=TEMPLATE)).text

    assert page.count('<th scope="row">') == 1


async def test_no_openid_stands_on_the_page_until_it_is_shown(
    service: Service, viewer: Operator, owner: Operator
) -> None:
    await subscribe(service)
    page = (await viewer.get(PATH, appid=APPID, template=TEMPLATE)).text
    show = re.findall(r'hx-post="/console([^"]+/openid)"', page)
    shown = await viewer.post(show[0])
    log = (await owner.get("/audit", action="follower.shown")).text

    assert OPENID not in page
    assert f">{OPENID}</bdi>" in shown.text
    assert "looked at an OpenID" in log


async def test_pages_miss_and_repeat_nobody_and_no_address_has_an_openid(
    service: Service, viewer: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recipients_page, "PAGE_ROWS", 2)
    openids = [f"oPERSON{number:021d}" for number in range(5)]
    for openid in openids:
        await subscribe(service, openid)
    path, seen = f"/console{PATH}?appid={APPID}&template={TEMPLATE}", []
    while path:
        assert "oPERSON" not in path
        page = (await viewer.http.get(path)).text
        seen += re.findall(r"••••(\d{4})", page)
        older = re.search(r'rel="next" href="([^"]+)"', page)
        path = html.unescape(older[1]) if older else ""

    assert seen == [openid[-4:] for openid in openids]


@pytest.mark.parametrize("after", ["nonsense", "AAAA", "%00"])
async def test_a_cursor_that_is_none_shows_the_first_page(
    service: Service, viewer: Operator, after: str
) -> None:
    await subscribe(service)
    page = await viewer.get(PATH, appid=APPID, template=TEMPLATE, after=after)

    assert page.status_code == 200
    assert "••••" + OPENID[-4:] in page.text


async def test_a_template_without_an_account_asks_for_one(
    service: Service, viewer: Operator
) -> None:
    await subscribe(service)

    assert "Choose an account, too" in (await viewer.get(PATH, template=TEMPLATE)).text


async def test_the_list_of_a_template_that_nobody_accepted_says_so(viewer: Operator) -> None:
    page = (await viewer.get(PATH, appid=APPID, template=TEMPLATE)).text

    assert "Nobody has accepted a popup of it" in page
