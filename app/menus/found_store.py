"""Keeps the menu that WeChat had before a publication, if no version of ours is that menu."""

from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from app.menus.as_read import LeftOut, read_menu, read_selfmenu, rebuild
from app.menus.difference import differences
from app.menus.document import Menu
from app.menus.models import AccountMenu, MenuVersion, VersionState
from app.menus.new_mark import new_mark

Json = dict[str, Any]


async def keep(
    session: AsyncSession, version: MenuVersion, before: Json, now: datetime
) -> int | None:
    """Return the number of the version that was at WeChat, and add one if there is none.

    version: whose publication begins. before: as `steps.read_present` returns it. None: WeChat had
    no menu.
    """
    account = await session.get_one(AccountMenu, version.appid, with_for_update=True)
    live = await _version(session, version.appid, account.live_number)
    if live is not None and _is_live(live, before):
        return live.number
    document = present_document(before)
    menu, left_out = rebuild(document)
    if not document["button"]:
        return None
    known = await _same(session, version.appid, menu, left_out)
    if known is not None:
        return known
    account.last_number += 1
    session.add(_found(version.appid, account.last_number, menu, left_out, document, before, now))
    return account.last_number


def present_document(before: Json) -> Json:
    """Return what followers see: the menus of the API, or else the one of the console."""
    live = read_menu(before["menu"])
    if live.button:
        return live.as_document()
    return {"button": read_selfmenu(before["selfmenu"]), "conditional": []}


def _is_live(version: MenuVersion, before: Json) -> bool:
    live = read_menu(before["menu"])
    return not differences(live.as_document(version.menuids), version.sent)


async def _same(
    session: AsyncSession, appid: str, menu: Menu, left_out: list[LeftOut]
) -> int | None:
    """Return the number of the latest found version if it is this menu.

    Ids of the console's pictures and voices are others in each answer, so values do not count.
    """
    latest = await session.scalar(
        select(MenuVersion)
        .where(MenuVersion.appid == appid, MenuVersion.state == VersionState.FOUND)
        .order_by(MenuVersion.number.desc())
        .limit(1)
    )
    if latest is None or latest.menu != menu.model_dump(mode="json"):
        return None
    places = [(each["position"], each["name"], each["type"]) for each in latest.left_out]
    same = places == [(each.position, each.name, each.type) for each in left_out]
    return latest.number if same else None


async def _version(session: AsyncSession, appid: str, number: int | None) -> MenuVersion | None:
    return await session.scalar(
        select(MenuVersion).where(MenuVersion.appid == appid, MenuVersion.number == number)
    )


def _found(
    appid: str,
    number: int,
    menu: Menu,
    left_out: list[LeftOut],
    document: Json,
    before: Json,
    now: datetime,
) -> MenuVersion:
    return MenuVersion(
        id=uuid7(),
        appid=appid,
        number=number,
        mark=new_mark(),
        state=VersionState.FOUND,
        menu=menu.model_dump(mode="json"),
        sent=document,
        left_out=[asdict(each) for each in left_out],
        found=before,
        created_at=now,
        finished_at=now,
        default_created=False,
        menuids=[
            each.menuid for each in read_menu(before["menu"]).conditional if each.menuid is not None
        ],
        deleted_all=False,
        stop=False,
        attempts=0,
    )
