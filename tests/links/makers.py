"""Makes links, and opens them as visitors do."""

from pathlib import Path

import httpx

from app.links.make import LinkMaker
from app.secret_box import secret_box
from app.settings import Account as SettingsAccount
from app.wechat.api import WeChatApi
from app.wechat_client.tokens import AccessTokens
from simulator.accounts import Account
from tests.httpx_client import HttpxClient
from tests.service import ACCOUNT, CARD_APPID, Json, Service, WeChat

MINI_PROGRAM = Account.model_validate(
    ACCOUNT.model_dump()
    | {
        "appid": CARD_APPID,
        "original_id": "gh_demo0000002",
        "secret": "mini-program-secret-0123456789abc",
        "is_mini_program": True,
        "mini_program_pages": {CARD_APPID: ("pages/shop/index", "pages/other")},
    }
)
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148"
DESKTOP = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/131.0 Safari/537.36"
ROBOT = "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)"
URL_LINK = "/wxa/generate_urllink"


def accounts_file(folder: Path) -> Path:
    """Write the file with the mini-program."""
    path = folder / "accounts.toml"
    path.write_text(
        f'[[account]]\nappid = "{CARD_APPID}"\nkind = "mini_program"\n'
        f'appsecret = "{MINI_PROGRAM.secret}"\n'
    )
    return path


def know_mini_program(service: Service, wechat: WeChat) -> None:
    """Let a service know the mini-program, and let its calls for single links reach WeChat."""
    wechat.state.accounts[MINI_PROGRAM.appid] = MINI_PROGRAM
    settings, clock = service.settings, service.clock
    settings.accounts[MINI_PROGRAM.appid] = SettingsAccount.model_validate(
        {"appid": CARD_APPID, "kind": "mini_program", "appsecret": MINI_PROGRAM.secret}
    )
    database = service.app.state.database
    api = WeChatApi("http://wechat", settings.api_timeout, HttpxClient(wechat.client))
    tokens = AccessTokens(database, api, settings.accounts, clock, secret_box(settings))
    service.app.state.link_maker = LinkMaker(database.sessions, api, tokens, clock)


def body(**changes: object) -> Json:
    """Return the body of a link."""
    return {
        "slug": "summer26",
        "name": "Summer <sale>",
        "appid": CARD_APPID,
        "path": "pages/shop/index",
        "query": "from={link}&ref={ref}",
        "utm": {"source": "sms"},
        "fallback_url": "https://shop.example.com/summer",
    } | changes


async def added(service: Service, **changes: object) -> Json:
    """Add a link."""
    answer = await service.api("POST", "links", json=body(**changes))
    assert answer.status_code == 201, answer.text
    found: Json = answer.json()
    return found


async def opened(
    service: Service, address: str = "summer26", agent: str = PHONE, **headers: str
) -> httpx.Response:
    """Open a short URL."""
    return await service.http.get(f"/go/{address}", headers={"user-agent": agent} | headers)
