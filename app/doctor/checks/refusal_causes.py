"""Why pushes are refused, and what an operator does about it, by the reason in the log. Pure."""

from dataclasses import dataclass
from typing import Final

from app.doctor.finding import Both


@dataclass(frozen=True, slots=True)
class Cause:
    """A likely cause. rank: of two causes the higher one is named; 0: strangers do this, too."""

    what: Both
    fix: Both
    rank: int = 1


_TOKEN: Final = Cause(
    Both(
        "Pushes are signed with another Token than WECHAT_TOKEN.",
        "推送的签名使用了与 WECHAT_TOKEN 不同的 Token。",
    ),
    Both(
        "Copy the Token (令牌) of the console's server configuration (服务器配置) to "
        "WECHAT_TOKEN or "
        "ACCOUNTS_FILE, and restart.",
        "请把公众平台“服务器配置”中的令牌(Token)填入 WECHAT_TOKEN 或 ACCOUNTS_FILE，然后重启。",
    ),
    rank=2,
)
_KEY: Final = Cause(
    Both(
        "Pushes can't be decrypted: the console has another EncodingAESKey than "
        "WECHAT_ENCODING_AES_KEY.",
        "推送无法解密：公众平台的 EncodingAESKey 与 WECHAT_ENCODING_AES_KEY 不同。",
    ),
    Both(
        "Copy the EncodingAESKey (消息加解密密钥) of the console's server configuration (服务器配"
        "置) to "
        "WECHAT_ENCODING_AES_KEY or ACCOUNTS_FILE, and restart.",
        "请把公众平台“服务器配置”中的消息加解密密钥(EncodingAESKey)填入 WECHAT_ENCODING_AES_KEY "
        "或 ACCOUNTS_FILE，然后重启。",
    ),
    rank=3,
)
_PLAIN: Final = Cause(
    Both(
        "Pushes are not encrypted: the console is in plain mode (明文模式), and "
        "WECHAT_MESSAGE_MODE is not.",
        "推送未加密：公众平台处于明文模式，而 WECHAT_MESSAGE_MODE 不是 plain。",
    ),
    Both(
        "Choose 安全模式 in the console's server configuration (服务器配置).",
        "请在公众平台“服务器配置”中选择安全模式。",
    ),
    rank=3,
)
_MIXED: Final = Cause(
    Both(
        "Pushes hold a plain copy: the console is in compatible mode (兼容模式), and "
        "WECHAT_MESSAGE_MODE is not.",
        "推送带有明文副本：公众平台处于兼容模式，而 WECHAT_MESSAGE_MODE 不是 compatible。",
    ),
    Both(
        "Choose 安全模式 in the console's server configuration (服务器配置), or set "
        "WECHAT_MESSAGE_MODE=compatible and restart.",
        "请在公众平台“服务器配置”中选择安全模式，或设置 WECHAT_MESSAGE_MODE=compatible 后重启。",
    ),
    rank=3,
)
_CLOCK: Final = Cause(
    Both(
        "The timestamps of pushes are too far from this service's clock, which is that of the "
        "database.",
        "推送的时间戳与本服务的时钟（即数据库的时钟）相差过大。",
    ),
    Both(
        "Switch NTP on (timedatectl set-ntp true) on the machine of the database; see the check "
        "clock.",
        "请在数据库所在机器上启用 NTP（timedatectl set-ntp true）；参见“时钟”检查项。",
    ),
    rank=2,
)
_MALFORMED: Final = Cause(
    Both("Requests are not what WeChat sends.", "请求不符合微信的格式。"),
    Both(
        "Let the proxy pass the query and the body unchanged; else strangers sent them, and "
        "nothing is to be done.",
        "请让反向代理原样转发查询参数和正文；否则它们来自陌生人，无需处理。",
    ),
    rank=0,
)

CAUSES: Final[dict[str, Cause]] = {
    "bad_signature": _TOKEN,
    **dict.fromkeys(
        (
            "bad_base64",
            "bad_block_length",
            "bad_padding",
            "bad_length",
            "too_short",
            "appid_mismatch",
        ),
        _KEY,
    ),
    "not_encrypted": _PLAIN,
    "mixed_body": _MIXED,
    "outside_replay_window": _CLOCK,
    "from_the_future": _CLOCK,
    "missing_signature": Cause(
        Both(
            "Requests have no signature of the kind that the message mode needs.",
            "请求没有该消息模式所需的签名。",
        ),
        Both(
            "Set WECHAT_MESSAGE_MODE to what the console's server configuration (服务器配置) "
            "says, and let the proxy "
            "pass the query; strangers send such requests, too.",
            "请把 WECHAT_MESSAGE_MODE 设为与公众平台“服务器配置”一致，并让反向代理保留查询参数；"
            "陌生人也会发送这类请求。",
        ),
        rank=0,
    ),
    "signature_used": Cause(
        Both(
            "Somebody repeats signatures of plain mode with other contents.",
            "有人用明文模式的签名重复发送其他内容。",
        ),
        Both(
            "Choose 安全模式 in the console's server configuration (服务器配置) and set "
            "WECHAT_MESSAGE_MODE=secure.",
            "请在公众平台“服务器配置”中选择安全模式，并设置 WECHAT_MESSAGE_MODE=secure。",
        ),
    ),
    "wrong_recipient": Cause(
        Both(
            "Pushes are for another original ID than WECHAT_ORIGINAL_ID.",
            "推送的接收者与 WECHAT_ORIGINAL_ID 不同。",
        ),
        Both(
            "Copy the original ID (原始ID, gh_…) from WeChat's console to WECHAT_ORIGINAL_ID, "
            "and restart.",
            "请把公众平台的原始ID（gh_…）填入 WECHAT_ORIGINAL_ID，然后重启。",
        ),
        rank=3,
    ),
    "unknown_appid": Cause(
        Both("Requests name an AppID that is not configured.", "请求中的 AppID 未配置。"),
        Both(
            "The URL in the console's server configuration (服务器配置) must end in /callback/ "
            "and the AppID of an "
            "account of the settings.",
            "公众平台“服务器配置”中的 URL 须以 /callback/ 加设置中某个账号的 AppID 结尾。",
        ),
    ),
    "too_large": Cause(
        Both("Pushes are larger than MAX_BODY_BYTES.", "推送大于 MAX_BODY_BYTES。"),
        Both(
            "Raise MAX_BODY_BYTES if they are WeChat's.", "若确为微信推送，请调大 MAX_BODY_BYTES。"
        ),
        rank=0,
    ),
    "bad_data": Cause(
        Both("The database can't hold a value of some pushes.", "数据库无法保存某些推送中的值。"),
        Both(
            "Look for inbox.callback_refused in the log.", "请在日志中查找 inbox.callback_refused。"
        ),
        rank=0,
    ),
    "overloaded": Cause(
        Both(
            "Pushes were refused because too many came at once.", "同时到达的推送过多，部分被拒绝。"
        ),
        Both(
            "Raise WEB_PROCESSES, and look at the load of the database.",
            "请调大 WEB_PROCESSES，并检查数据库负载。",
        ),
    ),
    **dict.fromkeys(
        ("not_stored", "out_of_time"),
        Cause(
            Both("Pushes could not be stored in time.", "推送未能及时保存。"),
            Both(
                "See the checks of the database, the spool and the disk.",
                "请查看数据库、暂存文件和磁盘检查项。",
            ),
            rank=4,
        ),
    ),
}


def cause_of(reason: str) -> Cause:
    """Return the likely cause of a reason; what is not named there is malformed."""
    return CAUSES.get(reason, _MALFORMED)
