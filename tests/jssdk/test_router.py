"""`GET /jssdk/{appid}`: what a page gets to configure `wx` with, and who gets it."""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from app.jssdk.page_signature import signature
from app.jssdk.router import OPEN_TAGS, SCRIPT
from app.worker import Jobs
from tests.service import APPID, Service, WeChat, WorldClock

PAGE = "https://www.example.com/a?b=c%20d&from=timeline"


async def ask(service: Service, url: str | None = PAGE, **headers: str) -> httpx.Response:
    params = {} if url is None else {"url": url}
    return await service.http.get(f"/jssdk/{APPID}", params=params, headers=headers)


async def test_a_page_is_signed_with_the_ticket_of_the_account(
    service: Service, jobs: Jobs, wechat: WeChat
) -> None:
    await jobs.renew_tickets()
    response = await ask(service, PAGE + "#part")

    assert response.status_code == 200
    config: dict[str, Any] = response.json()
    ticket = wechat.state.tickets[APPID][-1]
    made = signature(ticket, config["nonceStr"], config["timestamp"], PAGE)
    assert config == {
        "appId": APPID,
        "timestamp": int(service.clock.now().timestamp()),
        "nonceStr": config["nonceStr"],
        "signature": made,
        "jsApiList": [],
        "openTagList": OPEN_TAGS,
    }
    assert ticket not in response.text
    assert response.headers["cache-control"] == "no-store"


async def test_two_pages_have_two_nonces(service: Service, jobs: Jobs) -> None:
    await jobs.renew_tickets()
    nonces = {(await ask(service)).json()["nonceStr"] for _ in range(5)}
    assert len(nonces) == 5


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        ("https://www.example.com", True),
        ("https://m.shop.example.org", True),
        ("https://evil.net", False),
        ("https://shop.example.org.evil.net", False),
        ("null", False),
    ],
)
async def test_pages_of_the_account_alone_may_read_the_answer(
    service: Service, jobs: Jobs, origin: str, allowed: bool
) -> None:
    await jobs.renew_tickets()
    response = await ask(service, Origin=origin)
    assert response.headers.get("access-control-allow-origin") == (origin if allowed else None)
    assert response.headers["vary"] == "Origin"


@pytest.mark.parametrize(
    ("url", "status", "said"),
    [
        (None, 422, "url is missing"),
        ("", 422, "is no address"),
        ("https://www.example.com/a b", 422, "holds blanks"),
        ("https://evil.net/", 403, "evil.net is no JS-safe domain"),
    ],
)
async def test_another_address_is_refused_with_the_fix(
    service: Service, jobs: Jobs, url: str | None, status: int, said: str
) -> None:
    await jobs.renew_tickets()
    response = await ask(service, url)
    assert response.status_code == status
    assert said in response.json()["detail"]


async def test_an_unknown_account_signs_nothing(service: Service) -> None:
    response = await service.http.get("/jssdk/wxffffffffffffffff", params={"url": PAGE})
    assert response.status_code == 404


async def test_without_a_ticket_the_page_is_told_to_come_again_and_wechat_is_not_called(
    service: Service, jobs: Jobs, wechat: WeChat, clock: WorldClock
) -> None:
    first = await ask(service)
    assert (first.status_code, first.headers["retry-after"]) == (503, "30")
    assert not wechat.state.tickets

    await jobs.renew_tickets()
    clock.advance(timedelta(hours=2, seconds=1))
    assert (await ask(service)).status_code == 503


async def test_a_ticket_that_is_known_needs_no_database(service: Service, jobs: Jobs) -> None:
    await jobs.renew_tickets()
    assert (await ask(service)).status_code == 200
    await service.app.state.database.close()
    assert (await ask(service)).status_code == 200


async def test_the_script_is_small_and_is_kept_by_the_browser(service: Service) -> None:
    response = await service.http.get("/jssdk/v1.js")
    assert response.headers["content-type"] == "text/javascript; charset=utf-8"
    assert response.content == SCRIPT
    assert len(SCRIPT) <= 3 * 1024
    etag = response.headers["etag"]
    # A proxy that compresses marks it as weak.
    for known, status in ((etag, 304), (f'"another", W/{etag}', 304), ('"another"', 200)):
        again = await service.http.get("/jssdk/v1.js", headers={"If-None-Match": known})
        assert again.status_code == status
