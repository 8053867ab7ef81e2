"""The type of the catalogue's entries, and what many of them ask an operator to do."""

from typing import Final, NamedTuple


class Both(NamedTuple):
    """One text in both languages."""

    en: str
    zh: str


class Words(NamedTuple):
    """What an errcode means, and what to do about it."""

    meaning: Both
    fix: Both


def words(en: str, zh: str, fix: Both) -> Words:
    """Return an entry. en, zh: what the errcode means."""
    return Words(Both(en, zh), fix)


NOTHING: Final = Both(
    "Nothing is to be done: OA Bridge tries again by itself.",
    "无需处理：OA Bridge 会自动重试。",
)
REPORT: Final = Both(
    "The request is built wrongly: report it to the makers of the program that sent it, with the "
    "rid.",
    "请求构造有误：请附上 rid 反馈给发出该请求的程序的开发者。",
)
TOMORROW: Final = Both(
    "Wait until the next day in Shanghai; WeChat's console shows the quota of each API.",
    "请等到次日（北京时间）；各接口的额度可在公众平台查看。",
)
FOLLOWER: Final = Both(
    "Nothing is to be done: it concerns this follower alone.",
    "无需处理：仅与该用户有关。",
)
WHITELIST: Final = Both(
    "Add this machine's public address to the IP whitelist in WeChat's console; the errmsg names "
    "the address.",
    "请在公众平台把本机的公网 IP 加入 IP 白名单；errmsg 中写有该 IP。",
)
RIGHTS: Final = Both(
    "Check in WeChat's console, under API permissions, whether the account has this API: most of "
    "them need a verified account.",
    "请在公众平台“接口权限”中确认该账号是否拥有此接口：多数接口需要已认证的账号。",
)
CONSOLE: Final = Both(
    "Read the notices in WeChat's console: they say what is restricted and how to appeal.",
    "请查看公众平台的站内通知：其中写有限制内容与申诉方式。",
)
CORRECT_RULE: Final = Both(
    "Correct the reply in the rule.",
    "请修改规则中的回复内容。",
)
CORRECT_FILE: Final = Both(
    "Replace the file that the rule names by one that WeChat accepts.",
    "请把规则所用的文件换成微信可接受的文件。",
)
CORRECT_MENU: Final = Both(
    "Correct the menu and publish it again.",
    "请修改菜单后重新发布。",
)
CORRECT_LINK: Final = Both(
    "Correct the link's settings.",
    "请修改链接的设置。",
)
CORRECT_NOTICE: Final = Both(
    "Correct the notice's template or values.",
    "请修改通知的模板或内容。",
)
CORRECT_ARTICLE: Final = Both(
    "Correct the article and try again.",
    "请修改文章后重试。",
)
PLATFORM: Final = Both(
    "Check in WeChat's console which third-party platforms the account has authorised.",
    "请在公众平台检查该账号授权给了哪些第三方平台。",
)
LINK_MINI_PROGRAM: Final = Both(
    "Link the mini-program to the Official Account in WeChat's console, or correct its AppID.",
    "请在公众平台把该小程序关联到公众号，或改正其 AppID。",
)
PAGE_PATH: Final = Both(
    "Correct the page path: it must exist in the released version of the mini-program.",
    "请改正页面路径：它必须存在于小程序的已发布版本中。",
)
LATER: Final = Both("Try again later.", "请稍后重试。")
