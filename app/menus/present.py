"""What followers see now, compared with a draft or a version. No session is open meanwhile."""

from dataclasses import dataclass
from typing import Any

from app import refs
from app.menus.as_read import LeftOut, read_menu, rebuild
from app.menus.as_sent import as_sent
from app.menus.difference import Change, differences
from app.menus.document import Menu
from app.menus.found_store import present_document
from app.menus.page_path import Attribution
from app.menus.steps import read_present
from app.menus.wechat_menus import WeChatMenus
from app.wechat.ids import AppId
from app.wechat.read_response import number_of

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class LiveVersion:
    """The version that was published last, as far as a comparison needs it."""

    number: int
    mark: str
    menu: Json
    sent: Json
    menuids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Present:
    """What WeChat shows. document: in the shape of `as_sent`."""

    document: Json
    is_menu_open: bool
    from_console: bool
    left_out: list[LeftOut]
    rebuilt: Menu


async def read(wechat: WeChatMenus, appid: AppId, live: LiveVersion | None) -> Present:
    """Ask WeChat what it shows. Raises ApiError."""
    answers = await read_present(wechat, appid)
    menus = read_menu(answers["menu"])
    from_console = not menus.button
    if from_console:
        document = present_document(answers)
    else:
        document = menus.as_document(() if live is None else live.menuids)
    rebuilt, left_out = rebuild(document)
    if live is not None and not differences(document, live.sent):
        # As it was written, with its placeholders.
        rebuilt = Menu.model_validate(live.menu)
    return Present(
        document,
        number_of(answers["selfmenu"].get("is_menu_open")) != 0,
        from_console and bool(document["button"]),
        left_out,
        rebuilt,
    )


def changes(present: Present, menu: Menu, appid: AppId, live: LiveVersion | None) -> list[Change]:
    """Return what publishing a menu would change; the marks of `{ref}` do not count.

    Raises BadPage and BadTemplate.
    """
    number, mark = (0, "-" * refs.MENU_MARK) if live is None else (live.number, live.mark)
    return differences(present.document, as_sent(menu, Attribution(appid, number, mark)))


def which_menu(button: list[Json], live: LiveVersion | None) -> str | None:
    """Return which menu of the live version these buttons are: `c1`, `c2`… or `default`."""
    if live is None:
        return None
    for number, conditional in enumerate(live.sent["conditional"], 1):
        if conditional["button"] == button:
            return f"c{number}"
    return "default" if live.sent["button"] == button else None
