"""Publishes menus as operators and workers do."""

from app.menus import store
from app.menus.wechat_menus import WeChatMenus
from app.secret_box import secret_box
from app.wechat.api import WeChatApi
from app.wechat_client.tokens import AccessTokens
from app.worker import Jobs
from simulator.menus import AccountMenus
from tests.httpx_client import HttpxClient
from tests.menus.makers import menu
from tests.service import APPID, Json, Service, WeChat

CREATE = "/cgi-bin/menu/create"
ADD = "/cgi-bin/menu/addconditional"
DELETE = "/cgi-bin/menu/delconditional"
DELETE_ALL = "/cgi-bin/menu/delete"
GET = "/cgi-bin/menu/get"
SELFMENU = "/cgi-bin/get_current_selfmenu_info"


def know_wechat(service: Service, wechat: WeChat) -> None:
    """Let the service's calls about menus reach WeChat."""
    settings, database = service.settings, service.app.state.database
    api = WeChatApi("http://wechat", settings.api_timeout, HttpxClient(wechat.client))
    tokens = AccessTokens(database, api, settings.accounts, service.clock, secret_box(settings))
    service.app.state.wechat_menus = WeChatMenus(api, tokens)


def menus_of(wechat: WeChat) -> AccountMenus:
    """Return the menus that WeChat has."""
    return wechat.state.menus.of[APPID]


async def drafted(service: Service, document: Json | None = None) -> Json:
    """Store a draft."""
    answer = await service.api("PUT", f"menus/{APPID}", json={"menu": document or menu()})
    assert answer.status_code == 200, answer.text
    found: Json = answer.json()
    return found


async def ordered(service: Service, document: Json | None = None) -> Json:
    """Store a draft, and order its publication."""
    draft = await drafted(service, document)
    answer = await service.api(
        "POST", f"menus/{APPID}/publish", json={"revision": draft["revision"]}
    )
    assert answer.status_code == 202, answer.text
    found: Json = answer.json()
    return found


async def version(service: Service, number: int) -> Json:
    """Read a version."""
    return await service.read(f"menus/{APPID}/versions/{number}")


async def run_job(service: Service, jobs: Jobs, number: int) -> None:
    """Let a worker work on a version as long as it can."""
    async with service.app.state.database.sessions.begin() as session:
        found = await store.version_of(session, APPID, number)
    assert found is not None
    await jobs.publish_menu({"version_id": str(found.id)})


async def published(service: Service, jobs: Jobs, document: Json | None = None) -> Json:
    """Publish a menu, and return its version."""
    started = await ordered(service, document)
    await run_job(service, jobs, started["number"])
    return await version(service, started["number"])
