"""Menus for the pages about them: a draft with problems, versions, and what WeChat answers."""

from datetime import timedelta
from typing import Any

from sqlalchemy import select, update

from app.access.actor import Actor, ActorKind
from app.menus import found_store, store
from app.menus.document import Menu
from app.menus.models import AccountMenu, MenuTapCount, MenuVersion, VersionState
from simulator.menus import CONSOLE_MENU
from tests.console.people import HOSTILE
from tests.menus.makers import click, for_tag, menu, shop, view
from tests.service import APPID, Json, Service, text_reply

ACTOR = Actor(ActorKind.OPERATOR, "<b>小王</b>")
PRESENT: Json = {
    "menu": None,
    "selfmenu": {"is_menu_open": 0, "selfmenu_info": {"button": CONSOLE_MENU}},
}


class MenusOfTheConsole:
    """Answers as WeChat does before the first publication."""

    async def get(self, _appid: str) -> None:
        """The API made no menu."""

    async def selfmenu(self, _appid: str) -> Any:  # noqa: ANN401 - JSON
        """The menu of the console."""
        return PRESENT["selfmenu"]

    async def try_match(self, _appid: str, _openid: str) -> list[Json]:
        """A menu with a text of a stranger."""
        return [click(HOSTILE), {"name": "更多", "sub_button": [view()]}]


async def saved(service: Service, document: Json) -> AccountMenu:
    """Store a draft."""
    async with service.app.state.database.sessions.begin() as session:
        return await store.save_draft(
            session, ACTOR, APPID, Menu.model_validate(document), service.clock.now(), revision=None
        )


async def an_editor(service: Service) -> str:
    """Make a draft with a problem, a failed version and what was found; choose a button."""
    trigger = {"on": "click", "key": "points"}
    await service.add_rule(text_reply(), trigger=trigger, name="<i>积分</i>")
    draft = await saved(service, menu(conditional=[for_tag("108"), for_tag("109")]))
    now = service.clock.now()
    async with service.app.state.database.sessions.begin() as session:
        version = await store.publish(session, ACTOR, APPID, now, revision=draft.revision)
        version.previous = await found_store.keep(session, version, PRESENT, now)
        await session.flush()
        await session.execute(
            update(MenuVersion)
            .where(MenuVersion.id == version.id)
            .values(
                state=VersionState.FAILED,
                try_at=None,
                finished_at=now,
                restored=True,
                errcode=40054,
                error="invalid sub button url domain",
                rid="r-1",
                failed_at=now + timedelta(seconds=1),
            )
        )
    wrong = {"name": "更多更多更多更多", "sub_button": [shop(), view(url="http://a.example.com/")]}
    await saved(service, menu(click(), wrong, conditional=[for_tag("108"), for_tag("108")]))
    return f"/menus?appid={APPID}&button=1"


async def a_conditional_menu(service: Service) -> str:
    """Choose a button of a sub-menu in a conditional menu."""
    inside = {"name": "商城", "sub_button": [shop(), view()]}
    await saved(service, menu(conditional=[for_tag("108", inside, client_platform_type="1")]))
    return f"/menus?appid={APPID}&menu=1&button=1-1&done=saved"


async def a_difference(service: Service) -> str:
    """Compare a draft with the menu of the console."""
    service.app.state.wechat_menus = MenusOfTheConsole()
    await saved(service, menu())
    return f"/menus/difference?appid={APPID}"


async def a_deletion(service: Service) -> None:
    """Make a version whose job is about to delete the conditional menus that were there before."""
    draft = await saved(service, menu())
    before: Json = {
        "menu": {
            "menu": {"button": [click()]},
            "conditionalmenu": [{"menuid": 7, **for_tag("108")}],
        },
        "selfmenu": {},
    }
    async with service.app.state.database.sessions.begin() as session:
        now = service.clock.now()
        version = await store.publish(session, ACTOR, APPID, now, revision=draft.revision)
        version.before, version.default_created = before, True


async def taps(service: Service) -> str:
    """Make taps on buttons of a version, and on others."""
    await an_editor(service)
    async with service.app.state.database.sessions.begin() as session:
        version = (await session.scalars(select(MenuVersion).limit(1))).one()
        day = service.clock.now().date()
        for number, position, count in ((version.number, "1", 1234), (0, "", 5)):
            session.add(
                MenuTapCount(appid=APPID, day=day, number=number, position=position, count=count)
            )
    return f"/menus/taps?appid={APPID}"
