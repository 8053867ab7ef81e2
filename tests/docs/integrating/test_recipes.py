"""The recipes of the page: their commands succeed, with a token of the scopes that they name."""

import re
import shutil
from pathlib import Path

import pytest

from app.access import tokens
from app.access.actor import Actor, ActorKind
from app.access.scopes import ApiScope
from app.settings import Settings
from tests.docs.integrating.examples import FOLDER, run, served
from tests.menus.publishing import know_wechat
from tests.notices.makers import TEMPLATES, know_templates
from tests.service import (
    APPID,
    CARD_APPID,
    OPENID,
    Service,
    WeChat,
    event,
    settings_for,
    wechat_names,
)

RECIPES = {"menus": 4, "links": 1, "notices": 1, "qrcodes": 2}
PAGES = {
    name: (FOLDER.parent / name / "integrating.md").read_text(encoding="utf-8")
    for name in ("en", "zh")
}
COMMANDS = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SCOPE = re.compile(r"--scope ([a-z-]+:[a-z]+)")
UNIONID = re.compile(r'"unionid": "(\w+)"')
# A status of 400 or more ends the commands.
STRICT = 'set -e\ncurl() { command curl --silent --show-error --fail-with-body "$@"; echo; }\n'

pytestmark = pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    """Settings with the mini-program that the recipes open."""
    accounts = tmp_path / "accounts.toml"
    accounts.write_text(
        f'[[account]]\nappid = "{CARD_APPID}"\nkind = "mini_program"\nappsecret = "{"s" * 32}"\n'
    )
    return settings_for(database_url, tmp_path, accounts_file=accounts)


def recipe_of(page: str, name: str) -> str:
    """Return the section of a page that the anchor begins."""
    return page.partition(f'<a id="{name}"></a>')[2].partition("<a id=")[0]


@pytest.mark.parametrize("page", PAGES.values(), ids=PAGES.keys())
async def test_each_command_of_a_recipe_succeeds(
    page: str, service: Service, wechat: WeChat, tmp_path: Path
) -> None:
    recipes = {name: recipe_of(page, name) for name in RECIPES}
    # All before the first request: the service reads tokens every two seconds.
    texts = {name: await token_of(service, name, SCOPE.findall(recipes[name])) for name in recipes}
    know_wechat(service, wechat)
    await know_a_customer(service, wechat, page)
    async with served(service.app) as url:
        for name, count in RECIPES.items():
            commands = "".join(COMMANDS.findall(recipes[name])).replace("https://YOUR-DOMAIN", url)
            script = f"cd {tmp_path}\n{STRICT}{commands}"

            ended = await run(["bash", "-c", script], {"TOKEN": texts[name]})

            assert ended.status == 0, f"{name}: {ended.output}"
            assert len(ended.lines) == count, f"{name}: {ended.output}"


async def know_a_customer(service: Service, wechat: WeChat, page: str) -> None:
    """Let the service know the person and the template of the recipe of notices."""
    wechat.state.notices.templates[APPID] = {one.template_id: one for one in TEMPLATES}
    know_templates(service, wechat)
    refreshed = await service.api("POST", "templates/refresh", json={"appid": APPID})
    assert refreshed.status_code == 200, refreshed.text
    await service.push(event(service.clock, "subscribe"))
    (unionid,) = UNIONID.findall(recipe_of(page, "notices"))
    await wechat_names(service, OPENID, unionid)


async def token_of(service: Service, name: str, scopes: list[str]) -> str:
    """Return a token with the scopes, as `oa-bridge tokens add` makes it."""
    actor = Actor(ActorKind.CLI, "cli", "here")
    async with service.app.state.database.sessions.begin() as session:
        _, secret = await tokens.add(
            session,
            actor,
            name,
            [ApiScope(scope) for scope in scopes],
            (),
            expires_at=None,
            now=service.clock.now(),
        )
    return secret
