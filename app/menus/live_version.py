"""Reads the version that was published last."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.menus.models import AccountMenu, MenuVersion
from app.menus.present import LiveVersion


async def live_version(session: AsyncSession, appid: str) -> LiveVersion | None:
    """Return the version of an account that was published last; None if none was."""
    found = await session.scalar(
        select(MenuVersion)
        .join(
            AccountMenu,
            (AccountMenu.appid == MenuVersion.appid)
            & (AccountMenu.live_number == MenuVersion.number),
        )
        .where(MenuVersion.appid == appid)
    )
    if found is None:
        return None
    return LiveVersion(found.number, found.mark, found.menu, found.sent, tuple(found.menuids))
