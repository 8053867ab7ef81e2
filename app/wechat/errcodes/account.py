"""Words of errcodes about tokens, addresses, rights and quotas. Source: protocol 7 and 11."""

from typing import Final

from app.wechat.errcodes.words import (
    CONSOLE,
    LATER,
    NOTHING,
    PLATFORM,
    REPORT,
    RIGHTS,
    TOMORROW,
    WHITELIST,
    Both,
    Words,
    words,
)

_APPSECRET: Final = Both(
    "Copy the AppSecret from WeChat's console into the settings and restart the worker.",
    "请从公众平台复制 AppSecret 到设置中，并重启 worker。",
)
_APPID: Final = Both(
    "Correct the AppID in the settings: copy it from WeChat's console.",
    "请改正设置中的 AppID：从公众平台复制。",
)
_ANOTHER_PROGRAM: Final = Both(
    "OA Bridge gets a new access token by itself. If this repeats, another program forces new "
    "tokens for the account, or the AppSecret is wrong (when a token is asked for).",
    "OA Bridge 会自动获取新的 access_token。若反复出现，说明有其他程序在强制刷新该账号的 token，"
    "或（获取 token 时）AppSecret 不正确。",
)
_CONFIRM_ADDRESS: Final = Both(
    "Ask the account's administrator to confirm the message that WeChat sent them about this "
    "address.",
    "请账号管理员确认微信发给其的 IP 授权消息。",
)
_APPSECRET_FROZEN: Final = Both(
    "Unfreeze the AppSecret in WeChat's console.",
    "请在公众平台解冻 AppSecret。",
)
_LOGIN: Final = Both(
    "Let the person log in again: a code works once and for five minutes.",
    "请让用户重新登录：code 只能使用一次，有效期五分钟。",
)

ACCOUNT: Final[dict[int, Words]] = {
    -1: words("WeChat is busy.", "微信系统繁忙。", NOTHING),
    20001: words("WeChat has a system error.", "微信系统错误。", LATER),
    20002: words("A parameter is wrong.", "参数错误。", REPORT),
    40001: words(
        "The access token is not valid or not the newest, or the AppSecret is wrong.",
        "access_token 无效或不是最新的，或 AppSecret 错误。",
        _ANOTHER_PROGRAM,
    ),
    40002: words(
        "The grant_type is wrong, or there is no permission.", "grant_type 不正确或无权限。", REPORT
    ),
    40013: words("The AppID is wrong.", "AppID 不正确。", _APPID),
    40014: words("The access token is not valid.", "access_token 不合法。", _ANOTHER_PROGRAM),
    40029: words("The login code is wrong or was used.", "登录 code 无效或已使用。", _LOGIN),
    40101: words("A parameter is missing, or the path is wrong.", "缺少参数或路径错误。", REPORT),
    40125: words("The AppSecret is wrong.", "AppSecret 错误。", _APPSECRET),
    40163: words("The login code was used already.", "登录 code 已被使用。", _LOGIN),
    40164: words(
        "This machine's address is not in the account's IP whitelist.",
        "本机 IP 不在该账号的 IP 白名单中。",
        WHITELIST,
    ),
    40200: words(
        "The account is of the wrong type for this API.", "账号类型不支持此接口。", RIGHTS
    ),
    40226: words(
        "WeChat blocks this person's login as a high risk.",
        "该用户风险等级过高，登录被拦截。",
        Both("Nothing is to be done: it concerns this person alone.", "无需处理：仅与该用户有关。"),
    ),
    40243: words("The AppSecret is frozen.", "AppSecret 已被冻结。", _APPSECRET_FROZEN),
    41001: words("The access token is missing.", "缺少 access_token。", REPORT),
    41002: words("The AppID is missing.", "缺少 AppID。", _APPID),
    41004: words("The AppSecret is missing.", "缺少 AppSecret。", _APPSECRET),
    41008: words("The login code is missing.", "缺少登录 code。", REPORT),
    42001: words("The access token has expired.", "access_token 已过期。", _ANOTHER_PROGRAM),
    42002: words(
        "The refresh_token of a web login has expired.", "网页授权的 refresh_token 已过期。", _LOGIN
    ),
    42003: words("The login code has expired.", "登录 code 已过期。", _LOGIN),
    42007: words(
        "The person changed the password, so the web login is no longer valid.",
        "用户修改了密码，网页授权已失效。",
        _LOGIN,
    ),
    43001: words("The call has to be a GET.", "需要使用 GET 请求。", REPORT),
    43002: words("The call has to be a POST.", "需要使用 POST 请求。", REPORT),
    43003: words(
        "The call has to use HTTPS.",
        "需要使用 HTTPS。",
        Both(
            "Set WECHAT_API_BASE_URL to an https:// address.",
            "请把 WECHAT_API_BASE_URL 设为 https:// 地址。",
        ),
    ),
    43104: words("The account may not use this API.", "该账号无权使用此接口。", RIGHTS),
    44002: words("The body of the call is empty.", "请求内容为空。", REPORT),
    44990: words("There were too many calls in one second.", "每秒调用次数过多。", NOTHING),
    44993: words("The quota of the day is used up.", "当日额度已用完。", TOMORROW),
    45009: words(
        "The quota of the day for this API is used up.", "该接口当日调用次数已达上限。", TOMORROW
    ),
    45011: words("There were too many calls in one minute.", "每分钟调用次数过多。", NOTHING),
    47001: words(
        "The body of the call is not valid JSON or XML.", "请求的 JSON/XML 格式错误。", REPORT
    ),
    48001: words("The account has no right to this API.", "该账号没有此接口的权限。", RIGHTS),
    48004: words("This API is banned for the account.", "该账号的此接口已被封禁。", CONSOLE),
    48006: words(
        "The quota can't be cleared any more this month.",
        "本月的清零次数已用完。",
        Both(
            "Wait until the next month, or until the quota of the day starts again.",
            "请等到下月，或等待当日额度重置。",
        ),
    ),
    48008: words(
        "The account has no right to this type of message.", "该账号无权发送此类型的消息。", RIGHTS
    ),
    50001: words("The account has not been granted this API.", "接口未授权。", RIGHTS),
    50002: words("The account is restricted for a violation.", "账号因违规被限制。", CONSOLE),
    50004: words("The account may not use the token API.", "禁止该账号使用 token 接口。", CONSOLE),
    50007: words("The account is frozen.", "账号已被冻结。", CONSOLE),
    61004: words(
        "This machine's address is not registered with the third-party platform.",
        "本机 IP 未在第三方平台登记。",
        PLATFORM,
    ),
    61007: words(
        "The account has not given the third-party platform this right.",
        "该账号未把此接口授权给第三方平台。",
        PLATFORM,
    ),
    61016: words(
        "The account's authorisation of the third-party platform is not confirmed.",
        "第三方平台的授权尚未确认。",
        PLATFORM,
    ),
    61024: words(
        "The account's token has to be got through its third-party platform.",
        "该账号的 token 须通过其第三方平台获取。",
        PLATFORM,
    ),
    76001: words(
        "The rid does not exist.",
        "rid 不存在。",
        Both("Copy the whole rid from the log.", "请从日志中复制完整的 rid。"),
    ),
    76002: words(
        "The rid is empty or malformed.",
        "rid 为空或格式错误。",
        Both("Copy the whole rid from the log.", "请从日志中复制完整的 rid。"),
    ),
    76003: words(
        "The rid belongs to another account, or the path of the quota is malformed.",
        "rid 属于其他账号，或额度查询的路径格式错误。",
        Both(
            "Ask with the token of the account that made the call.",
            "请使用发起该调用的账号的 token 查询。",
        ),
    ),
    76004: words(
        "The rid is older than seven days.",
        "rid 已超过七天。",
        Both(
            "Nothing is to be done: WeChat keeps a request for seven days.",
            "无法查询：微信只保留七天。",
        ),
    ),
    76021: words("The path of the quota is unknown.", "额度查询的路径不存在。", REPORT),
    76022: words(
        "The path belongs to another kind of account.", "该路径属于其他类型的账号。", REPORT
    ),
    87009: words("The signature of the session check is wrong.", "登录态校验的签名错误。", REPORT),
    89501: words(
        "WeChat waits for the administrator to confirm this machine's address.",
        "该 IP 正在等待管理员确认。",
        _CONFIRM_ADDRESS,
    ),
    89503: words(
        "This machine's address needs the administrator's confirmation.",
        "该 IP 需要管理员确认。",
        _CONFIRM_ADDRESS,
    ),
    89506: words(
        "The administrator refused this machine's address twice within a day.",
        "管理员在 24 小时内两次拒绝了该 IP。",
        Both(
            "Wait a day, tell the administrator, and add the address to the IP whitelist.",
            "请等待 24 小时，与管理员沟通后把 IP 加入白名单。",
        ),
    ),
    89507: words(
        "The administrator refused this machine's address within the hour.",
        "管理员在 1 小时内拒绝了该 IP。",
        Both(
            "Wait an hour, tell the administrator, and add the address to the IP whitelist.",
            "请等待 1 小时，与管理员沟通后把 IP 加入白名单。",
        ),
    ),
    268487001: words("WeChat is busy.", "微信系统繁忙。", NOTHING),
    268487002: words("WeChat is busy.", "微信系统繁忙。", NOTHING),
}
