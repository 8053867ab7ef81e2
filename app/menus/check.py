"""Checks a menu before WeChat is asked, with the errcode that WeChat would answer. Pure.

Linked mini-programs, domains and ids of articles and material show on the call alone. Source:
linkage 1.2, 1.3 and 1.6.
"""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Final

from app.http_client.read_url import read_url
from app.menus.button_types import ACTION_MEMBERS, TYPES, ButtonType
from app.menus.document import Button, Menu, SubButton
from app.menus.page_path import Attribution, BadPage, filled_page
from app.menus.positions import Loc, Placed, placed_buttons
from app.rules.definition.templates import BadTemplate
from app.settings import APPID_PATTERN
from app.wechat.visible_text import shows_nothing

MAX_TOP: Final = 3
MAX_SUB: Final = 5
MAX_TOP_NAME_BYTES: Final = 16
MAX_SUB_NAME_BYTES: Final = 60
MAX_KEY_BYTES: Final = 128
MAX_URL_BYTES: Final = 1024
# No page prints a limit for a menu; this is the one of a card.
MAX_PAGE_BYTES: Final = 1024
MAX_DOMAINS: Final = 3
# Of a name, as two columns for each wide character; what is longer is cut on a phone.
TOP_COLUMNS: Final = 8
SUB_COLUMNS: Final = 16
_LAST_NARROW: Final = "\u2e7f"
_LONGEST: Final = Attribution("wx0123456789abcdef", 10**6, "x" * 8)


@dataclass(frozen=True, slots=True)
class MenuProblem:
    """What is wrong. loc: the path of the member. errcode: that WeChat would answer.

    blocks: whether it prevents publishing.
    """

    loc: Loc
    errcode: int | None
    text: str
    blocks: bool = True


def check_menu(menu: Menu, known: Collection[str]) -> list[MenuProblem]:
    """Return what is wrong with a menu. known: AppIDs that it may open; empty: any."""
    return [
        *_counts(menu),
        *(problem for placed in placed_buttons(menu) for problem in _check_button(placed, known)),
        *_pages(menu),
        *_repeated_keys(menu),
        *_conditions(menu),
        *_domains(menu),
    ]


def name_columns(name: str) -> int:
    """Return how wide a name is: two columns for each Chinese character, one for each letter."""
    return sum(1 if character <= _LAST_NARROW else 2 for character in name)


def _counts(menu: Menu) -> Iterator[MenuProblem]:
    menus: list[tuple[Loc, tuple[Button, ...], int]] = [(("button",), menu.button, 40016)]
    menus += [
        (("conditional", number, "button"), conditional.button, 65307)
        for number, conditional in enumerate(menu.conditional)
    ]
    for loc, buttons, when_empty in menus:
        if not buttons:
            yield MenuProblem(loc, when_empty, "is empty: add 1 to 3 buttons")
        elif len(buttons) > MAX_TOP:
            yield MenuProblem(loc, 40016, f"has {len(buttons)} buttons: at most {MAX_TOP} fit")
    for placed in placed_buttons(menu):
        subs = getattr(placed.button, "sub_button", ())
        if len(subs) > MAX_SUB:
            yield MenuProblem(
                (*placed.loc, "sub_button"),
                40023,
                f"has {len(subs)} buttons: at most {MAX_SUB} fit",
            )


def _check_button(placed: Placed, known: Collection[str]) -> Iterator[MenuProblem]:
    yield from _name(placed)
    button = placed.button
    yield from _escapes(placed)
    if getattr(button, "sub_button", ()):
        for member in ("type", *ACTION_MEMBERS):
            if getattr(button, member) is not None:
                yield MenuProblem(
                    (*placed.loc, member), 40017, "must be left out: the button opens a sub-menu"
                )
        return
    if button.type is None:
        yield _no_type(placed)
        return
    needed = TYPES[button.type].members
    for member in ACTION_MEMBERS:
        value: str | None = getattr(button, member)
        if member in needed:
            yield from _CHECKS[member](placed, value or "")
        elif value is not None:
            yield MenuProblem(
                (*placed.loc, member), None, f"does not belong to the type {button.type}: remove it"
            )
    if "appid" in needed and known and _is_appid(button.appid) and button.appid not in known:
        yield MenuProblem(
            (*placed.loc, "appid"),
            40166,
            "is no mini-program that is configured: add it to MINI_PROGRAM_APPIDS or ACCOUNTS_FILE",
        )


def _no_type(placed: Placed) -> MenuProblem:
    errcode = 65308 if placed.conditional is not None else 40024 if placed.is_sub else 40017
    return MenuProblem(
        (*placed.loc, "type"), errcode, "is missing: choose what a tap does, or add a sub-menu"
    )


def _name(placed: Placed) -> Iterator[MenuProblem]:
    name, loc = placed.button.name, (*placed.loc, "name")
    errcode = 40025 if placed.is_sub else 40018
    most = MAX_SUB_NAME_BYTES if placed.is_sub else MAX_TOP_NAME_BYTES
    size = len(name.encode())
    if shows_nothing(name):
        yield MenuProblem(loc, errcode, "is empty: give the button a name")
    elif size > most:
        yield MenuProblem(
            loc, errcode, f"has {size} bytes, and at most {most} fit ({most // 3} 汉字): shorten it"
        )
    elif name_columns(name) > (SUB_COLUMNS if placed.is_sub else TOP_COLUMNS):
        yield MenuProblem(
            loc,
            None,
            f"is cut on phones after about {8 if placed.is_sub else 4} 汉字: shorten it",
            blocks=False,
        )


def _escapes(placed: Placed) -> Iterator[MenuProblem]:
    for member in ("name", *ACTION_MEMBERS):
        if "\\u" in (getattr(placed.button, member) or ""):
            yield MenuProblem((*placed.loc, member), 40033, r"holds \u: write the character itself")


def _key(placed: Placed, key: str) -> Iterator[MenuProblem]:
    loc, errcode = (*placed.loc, "key"), 40026 if placed.is_sub else 40019
    size = len(key.encode())
    if not key.strip():
        yield MenuProblem(loc, errcode, "is missing: write the key that the event of a tap holds")
    elif key != key.strip():
        yield MenuProblem(loc, None, "begins or ends with a blank: remove it")
    elif size > MAX_KEY_BYTES:
        yield MenuProblem(loc, errcode, f"has {size} bytes, and at most {MAX_KEY_BYTES} fit")


def _url(placed: Placed, url: str) -> Iterator[MenuProblem]:
    loc, too_long = (*placed.loc, "url"), 40027 if placed.is_sub else 40020
    size = len(url.encode())
    if not url.strip():
        yield MenuProblem(loc, too_long, "is missing: write an address with https://")
    elif size > MAX_URL_BYTES:
        yield MenuProblem(loc, too_long, f"has {size} bytes, and at most {MAX_URL_BYTES:,} fit")
    elif not host_of(url):
        wrong = 65317 if placed.conditional is not None else 40054 if placed.is_sub else 40055
        yield MenuProblem(loc, wrong, "is no address of a web page: write https://host/path")
    elif not url.startswith("https://"):
        yield MenuProblem(
            loc, None, "is not encrypted, and phones warn of it: use https://", blocks=False
        )


def _appid(placed: Placed, appid: str) -> Iterator[MenuProblem]:
    if not _is_appid(appid):
        yield MenuProblem(
            (*placed.loc, "appid"),
            40166,
            "is no AppID: wx and 16 digits or small letters a to f, as the mini-program's console "
            "shows it",
        )


def _is_appid(text: str | None) -> bool:
    return re.fullmatch(APPID_PATTERN, text or "") is not None


def _pagepath(placed: Placed, page: str) -> Iterator[MenuProblem]:
    loc = (*placed.loc, "pagepath")
    if not page.strip():
        yield MenuProblem(loc, 40165, "is missing: write the page as in app.json")
    elif page.startswith("/"):
        yield MenuProblem(loc, 40165, "begins with a slash: write it as in app.json")
    elif any(character <= " " for character in page):
        yield MenuProblem(loc, 40165, "holds a blank: percent-encode it")


def _media_id(placed: Placed, value: str) -> Iterator[MenuProblem]:
    if not value.strip():
        yield MenuProblem((*placed.loc, "media_id"), 40007, "is missing: name permanent material")


def _article_id(placed: Placed, value: str) -> Iterator[MenuProblem]:
    if not value.strip():
        yield MenuProblem(
            (*placed.loc, "article_id"), 53600, "is missing: name a published article"
        )


_CHECKS: Final = {
    "key": _key,
    "url": _url,
    "appid": _appid,
    "pagepath": _pagepath,
    "media_id": _media_id,
    "article_id": _article_id,
}


def _pages(menu: Menu) -> Iterator[MenuProblem]:
    """Check the pages with their placeholders filled and with the UTM parameters."""
    for placed in placed_buttons(menu):
        page = placed.button.pagepath
        if placed.button.type is not ButtonType.MINIPROGRAM or not page:
            continue
        loc = (*placed.loc, "pagepath")
        try:
            size = len(filled_page(page, placed.position, _LONGEST, menu.utm).encode())
        except (BadPage, BadTemplate) as error:
            yield MenuProblem(loc, 40165, str(error))
            continue
        if size > MAX_PAGE_BYTES:
            yield MenuProblem(
                loc,
                40165,
                f"has {size:,} bytes once it is filled, and at most {MAX_PAGE_BYTES:,} fit",
            )


def _repeated_keys(menu: Menu) -> Iterator[MenuProblem]:
    """Find keys that two buttons of one menu share: their taps could not be told apart."""
    seen: dict[tuple[int | None, str], str] = {}
    for placed in placed_buttons(menu):
        key = placed.button.key
        if not key:
            continue
        first = seen.setdefault((placed.conditional, key), placed.position)
        if first != placed.position:
            yield MenuProblem(
                (*placed.loc, "key"), None, f"is the key of button {first}, too: choose another one"
            )


def _conditions(menu: Menu) -> Iterator[MenuProblem]:
    for number, conditional in enumerate(menu.conditional):
        rule = conditional.matchrule
        loc = ("conditional", number, "matchrule")
        if rule.tag_id is None and rule.client_platform_type is None:
            yield MenuProblem(loc, 65304, "is empty: name a tag, a platform, or both")
            continue
        for earlier, other in enumerate(menu.conditional[:number]):
            wider = other.matchrule
            if wider.tag_id in {None, rule.tag_id} and wider.client_platform_type in {
                None,
                rule.client_platform_type,
            }:
                yield MenuProblem(
                    loc,
                    None,
                    f"is never reached: conditional menu {earlier + 1} comes first and is for all "
                    "of these followers; move this one up",
                    blocks=False,
                )
                break


def _domains(menu: Menu) -> Iterator[MenuProblem]:
    hosts: dict[str, Loc] = {}
    for placed in placed_buttons(menu):
        button: SubButton = placed.button
        if placed.conditional is None or button.type is not ButtonType.VIEW:
            continue
        host = host_of(button.url or "")
        if host and host not in hosts:
            hosts[host] = (*placed.loc, "url")
            if len(hosts) > MAX_DOMAINS:
                yield MenuProblem(
                    hosts[host],
                    65316,
                    f"is of the domain {host}: all conditional menus together may open "
                    f"{MAX_DOMAINS}",
                )


def host_of(url: str) -> str:
    """Return the host of an address of a web page; empty if it is none."""
    if any(character <= " " for character in url):
        return ""
    parsed = read_url(url)
    if parsed is None:
        return ""
    return parsed.host if parsed.scheme in {"http", "https"} else ""
