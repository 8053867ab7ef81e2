"""Words of errcodes about QR codes and mini-program links. Source: protocol 9.4, 9.5; linkage 5."""

from typing import Final

from app.wechat.errcodes.words import (
    CONSOLE,
    CORRECT_LINK,
    REPORT,
    RIGHTS,
    TOMORROW,
    Both,
    Words,
    words,
)

_RELEASE: Final = Both("Release the mini-program.", "请发布小程序。")
_USED_UP: Final = Both(
    "Use a short-lived link instead, or one of the links that exist.",
    "请改用短期链接，或使用已有链接。",
)

LINK: Final[dict[int, Words]] = {
    40052: words(
        "The action_name of the QR code is wrong.", "二维码的 action_name 不正确。", REPORT
    ),
    40053: words(
        "The scene of the QR code is wrong.", "二维码的 action_info 不正确。", CORRECT_LINK
    ),
    40066: words("The page of the short link is wrong.", "短链的页面路径不正确。", CORRECT_LINK),
    40097: words("A parameter of the link is wrong.", "链接参数不正确。", CORRECT_LINK),
    40129: words(
        "The scene of the mini-program code is wrong.", "小程序码的 scene 不正确。", CORRECT_LINK
    ),
    40169: words(
        "The scene of the mini-program code is too long or empty.",
        "小程序码的 scene 长度不正确。",
        CORRECT_LINK,
    ),
    40212: words("The query of the link is wrong.", "链接的 query 不正确。", CORRECT_LINK),
    40225: words("The title of the short link is wrong.", "短链的标题不正确。", CORRECT_LINK),
    45029: words(
        "All mini-program codes of the limited kind are used.",
        "小程序码生成总数已达上限。",
        Both("Use codes of the unlimited kind.", "请改用不限数量的小程序码。"),
    ),
    85079: words("The mini-program is not released.", "小程序未发布。", _RELEASE),
    85088: words(
        "The mini-program has no cloud development.", "小程序未开通云开发。", CORRECT_LINK
    ),
    85096: words(
        "The scene of the mini-program code uses a reserved name.",
        "scene 使用了保留字段。",
        CORRECT_LINK,
    ),
    85400: words("All permanent short links are used.", "永久短链数量已达上限。", _USED_UP),
    85401: words(
        "The link's end is not between one minute and 30 days from now.",
        "链接有效期须在 1 分钟至 30 天之间。",
        CORRECT_LINK,
    ),
    85402: words("The version of the mini-program is wrong.", "env_version 不正确。", CORRECT_LINK),
    85403: words("The link does not exist.", "链接不存在。", CORRECT_LINK),
    85405: words(
        "The plain scheme of this page is not declared.",
        "未声明该页面的明文 scheme。",
        Both("Declare the page in the mini-program's console.", "请在小程序后台声明该页面。"),
    ),
    85406: words("The link's opens of the day are used up.", "链接当日访问次数已用完。", TOMORROW),
    85407: words("The mini-program may not make links.", "该小程序无权生成链接。", RIGHTS),
    85408: words("The mini-program's links are banned.", "该小程序的链接能力被封禁。", CONSOLE),
    9800003: words(
        "The model_id of the NFC link is wrong.", "NFC 的 model_id 不正确。", CORRECT_LINK
    ),
    9800007: words(
        "The mini-program may not make NFC links.", "该小程序没有 NFC scheme 权限。", RIGHTS
    ),
    9800008: words(
        "The serial number of the NFC link is missing.", "缺少 NFC 的 sn。", CORRECT_LINK
    ),
    9800009: words(
        "The serial number of the NFC link has to be empty.", "NFC 的 sn 必须为空。", CORRECT_LINK
    ),
}
