"""The steps that bring a version to WeChat, or take it back. Each may be repeated after a kill.

The order: what WeChat has is read and kept; the default menu is replaced; the conditional menus are
added from the last to the first, since WeChat shows the newest that fits; then those that are not
of this version are deleted, and what WeChat shows is compared with what was sent. Until the new
conditional menus are there the earlier ones stay, so that a refusal costs none of them.

A menu that was added by a call without an answer has a menuid that nobody knows: it is added once
more, and the first one is deleted as one that is not of this version. Source: linkage 1.1 and 1.3.
"""

from dataclasses import dataclass, replace
from typing import Any, Self
from uuid import UUID

from app.menus.as_read import LiveMenu, read_menu
from app.menus.difference import differences
from app.menus.models import MenuVersion, VersionState
from app.menus.wechat_menus import WeChatMenus
from app.wechat.ids import AppId

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a version is; see `MenuVersion` for the fields."""

    version_id: UUID
    appid: AppId
    state: VersionState
    sent: Json
    before: Json | None
    default_created: bool
    menuids: tuple[str, ...]
    deleted_all: bool
    verified: bool | None
    restored: bool | None

    @classmethod
    def of(cls, version: MenuVersion) -> Self:
        """Return how far a version is by its row."""
        return cls(
            version_id=version.id,
            appid=AppId(version.appid),
            state=version.state,
            sent=version.sent,
            before=version.before,
            default_created=version.default_created,
            menuids=tuple(version.menuids),
            deleted_all=version.deleted_all,
            verified=version.verified,
            restored=version.restored,
        )

    @property
    def has_changed_wechat(self) -> bool:
        """Whether a call of this version has changed what followers see."""
        return self.default_created or bool(self.menuids) or self.deleted_all

    @property
    def is_deleting(self) -> bool:
        """Whether the next step deletes conditional menus that were there before.

        WeChat makes a deleted one again only as the newest, so there is no way back from here.
        """
        is_complete = self.default_created and len(self.menuids) == len(self.sent["conditional"])
        return is_complete and bool(read_menu((self.before or {}).get("menu")).conditional)


async def next_step(wechat: WeChatMenus, progress: Progress) -> Progress:
    """Make the next call, and return how far the version is then. Raises ApiError."""
    if progress.state is VersionState.WITHDRAWING:
        return await _withdraw(wechat, progress)
    if progress.before is None:
        return replace(progress, before=await read_present(wechat, progress.appid))
    if not progress.default_created:
        await wechat.create(progress.appid, progress.sent["button"])
        return replace(progress, default_created=True)
    missing = len(progress.sent["conditional"]) - len(progress.menuids)
    if missing > 0:
        body = progress.sent["conditional"][missing - 1]
        menuid = await wechat.add_conditional(progress.appid, body)
        return replace(progress, menuids=(menuid, *progress.menuids))
    return await _finish(wechat, progress)


async def read_present(wechat: WeChatMenus, appid: AppId) -> Json:
    """Return what WeChat answers about its menus, as `menu` (None: no menu) and `selfmenu`."""
    return {"menu": await wechat.get(appid), "selfmenu": await wechat.selfmenu(appid)}


async def _finish(wechat: WeChatMenus, progress: Progress) -> Progress:
    live = read_menu(await wechat.get(progress.appid))
    if _has_ids(live):
        foreign = _foreign(live, progress.menuids)
        if foreign:
            await wechat.delete_conditional(progress.appid, foreign[0])
            return progress
    elif len(live.conditional) > len(progress.menuids) and not progress.deleted_all:
        # Which ones are not of this version can't be seen, so all are made again.
        await wechat.delete(progress.appid)
        return replace(progress, default_created=False, menuids=(), deleted_all=True)
    return replace(progress, state=VersionState.PUBLISHED, verified=_shows(live, progress))


def _shows(live: LiveMenu, progress: Progress) -> bool:
    """Return whether WeChat shows what was sent; without menuids their order is not known."""
    orders = [live]
    if not _has_ids(live):
        orders.append(replace(live, conditional=live.conditional[::-1]))
    return any(
        not differences(each.as_document(progress.menuids), progress.sent) for each in orders
    )


async def _withdraw(wechat: WeChatMenus, progress: Progress) -> Progress:
    before = read_menu((progress.before or {}).get("menu"))
    if not before.button:
        await wechat.delete(progress.appid)
        return _withdrawn(progress, before, before)
    live = read_menu(await wechat.get(progress.appid))
    kept = [each.menuid for each in before.conditional if each.menuid is not None]
    foreign = _foreign(live, kept) if _has_ids(live) else list(progress.menuids)
    if foreign:
        await wechat.delete_conditional(progress.appid, foreign[0])
        return replace(
            progress, menuids=tuple(each for each in progress.menuids if each != foreign[0])
        )
    await wechat.create(progress.appid, before.button)
    return _withdrawn(progress, before, live)


def _withdrawn(progress: Progress, before: LiveMenu, live: LiveMenu) -> Progress:
    is_lost = progress.deleted_all or len(live.conditional) < len(before.conditional)
    return replace(progress, state=VersionState.FAILED, restored=not is_lost)


def _has_ids(live: LiveMenu) -> bool:
    return all(each.menuid is not None for each in live.conditional)


def _foreign(live: LiveMenu, own: tuple[str, ...] | list[str]) -> list[str]:
    return [
        each.menuid
        for each in live.conditional
        if each.menuid is not None and each.menuid not in own
    ]
