"""What WeChat refuses in a menu. Source: linkage 1.2, 1.3 and 1.6."""

from urllib.parse import urlsplit

from simulator.accounts import Account
from simulator.errors import ApiError

Json = dict[str, object]

KEYED = frozenset(
    {"click", "scancode_push", "scancode_waitmsg", "pic_sysphoto", "pic_photo_or_album"}
    | {"pic_weixin", "location_select"}
)
MEDIA = frozenset({"media_id", "view_limited"})
ARTICLES = frozenset({"article_id", "article_view_limited"})
REMOVED = frozenset({"sex", "country", "province", "city", "language"})
DOMAINS = 3
TOP = 3
SUB = 5


def check_buttons(account: Account, value: object) -> list[Json]:
    """Return the buttons of a menu. Raises ApiError."""
    if not isinstance(value, list) or not 1 <= len(value) <= TOP:
        raise ApiError(40016)
    for button in value:
        if not isinstance(button, dict):
            raise ApiError(40017)
        if "\\u" in str(button.get("name")):
            raise ApiError(40033)
        check_size(button.get("name"), 16, 40018)
        subs = button.get("sub_button") or []
        if not subs:
            check_leaf(account, button, sub=False)
        elif not isinstance(subs, list) or len(subs) > SUB:
            raise ApiError(40023)
        for sub in subs:
            if not isinstance(sub, dict):
                raise ApiError(40024)
            if sub.get("sub_button"):
                raise ApiError(40022)
            check_size(sub.get("name"), 60, 40025)
            check_leaf(account, sub, sub=True)
    return value


def check_leaf(account: Account, button: Json, *, sub: bool) -> None:
    """Raise ApiError for a button whose action is wrong."""
    kind = button.get("type")
    if kind in KEYED:
        check_size(button.get("key"), 128, 40026 if sub else 40019)
    elif kind == "view":
        check_url(button.get("url"), sub=sub)
    elif kind == "miniprogram":
        check_url(button.get("url"), sub=sub)
        check_mini_program(account, button)
    elif kind in MEDIA:
        check_size(button.get("media_id"), 128, 40007)
    elif kind in ARTICLES:
        check_size(button.get("article_id"), 128, 53600)
    else:
        raise ApiError(40024 if sub else 40017)


def check_mini_program(account: Account, button: Json) -> None:
    """Raise ApiError unless the mini-program is linked and has the page."""
    appid, page = button.get("appid"), button.get("pagepath")
    if not isinstance(appid, str) or not appid.startswith("wx") or appid != appid.lower():
        raise ApiError(40166)
    if appid not in account.linked_mini_programs:
        raise ApiError(45064)
    pages = account.mini_program_pages.get(appid)
    if not isinstance(page, str) or not page or page.startswith("/"):
        raise ApiError(40165)
    if pages is not None and page.partition("?")[0] not in pages:
        raise ApiError(40165)


def check_url(value: object, *, sub: bool) -> None:
    """Raise ApiError for an address that is too long, or that is none of a web page."""
    check_size(value, 1024, 40027 if sub else 40020)
    if not host_of(value):
        raise ApiError(40054 if sub else 40055)


def check_size(value: object, most: int, errcode: int) -> None:
    """Raise ApiError for a text that is empty or has too many bytes."""
    if not isinstance(value, str) or not 1 <= len(value.encode()) <= most:
        raise ApiError(errcode)


def check_matchrule(value: object) -> Json:
    """Return whom a conditional menu is for. Raises ApiError 65304 and 65320."""
    rule = value if isinstance(value, dict) else {}
    given = {name: member for name, member in rule.items() if member not in {"", None}}
    known = given.keys() & {"tag_id", "client_platform_type"}
    if not known:
        raise ApiError(65304)
    if given.keys() & REMOVED:
        raise ApiError(65320)
    return given


def check_domains(menus: list[list[Json]]) -> None:
    """Raise ApiError 65316 when all conditional menus together open more than three domains."""
    hosts = {
        host_of(leaf.get("url"))
        for buttons in menus
        for button in buttons
        for leaf in [button, *_subs(button)]
        if leaf.get("type") == "view"
    }
    if len(hosts) > DOMAINS:
        raise ApiError(65316)


def host_of(value: object) -> str:
    """Return the host of an address; empty if it is none."""
    parts = urlsplit(str(value))
    return (parts.hostname or "") if parts.scheme in {"http", "https"} else ""


def _subs(button: Json) -> list[Json]:
    subs = button.get("sub_button")
    return subs if isinstance(subs, list) else []
