"""What is wrong with a setting, in Chinese. Pure.

`settings` and `setting_problems` say it in English, which `serve` and `worker` print.
"""

from collections.abc import Mapping
from typing import Final

from app.doctor.reason_words import REASONS_ZH
from app.phrases import in_language

# More special sentences come before the general ones that they fit, too.
SETTINGS_ZH: Final[Mapping[str, str]] = {
    "is missing: add it": "缺失：请补上",
    "must be a whole number": "必须是整数",
    "must be a number": "必须是数字",
    "must be true or false": "必须是 true 或 false",
    "must be a text in quotation marks": "必须是加引号的文本",
    "must be more than %(number)s": "必须大于 %(number)s",
    "must be at least %(number)s": "不能小于 %(number)s",
    "must be less than %(number)s": "必须小于 %(number)s",
    "must be at most %(number)s": "不能大于 %(number)s",
    "must have at least %(number)s characters": "至少需要 %(number)s 个字符",
    "is unknown: remove it; allowed are %(names)s": "不存在：请删除；可用的有 %(names)s",
    "is unknown: did you mean %(likely)s?": "不存在：是否应为 %(likely)s？",
    "no setting has this name: did you mean %(likely)s?": "不是设置项：是否应为 %(likely)s？",
    "no setting has this name, in .env: did you mean %(likely)s?": (
        "（在 .env 中）不是设置项：是否应为 %(likely)s？"
    ),
    "no setting has this name, in .env: remove it": "（在 .env 中）不是设置项：请删除",
    "no account is configured; set WECHAT_APPID, WECHAT_TOKEN and WECHAT_ENCODING_AES_KEY, or "
    "ACCOUNTS_FILE": (
        "未设置，没有任何账号：请设置 WECHAT_APPID、WECHAT_TOKEN 和 WECHAT_ENCODING_AES_KEY，"
        "或 ACCOUNTS_FILE"
    ),
    "is empty although %(names)s is given: set it, or remove the others": (
        "为空，却设置了 %(names)s：请填写，或删除后者"
    ),
    "is empty although %(names)s are given: set it, or remove the others": (
        "为空，却设置了 %(names)s：请填写，或删除后者"
    ),
    "holds a blank or another character that no AppSecret has: copy it again": (
        "含有 AppSecret 不会有的空格或其他字符：请重新复制"
    ),
    "holds the original ID (gh_…): copy the AppID from the console, wx and 16 digits or letters "
    "a to f": "填的是原始ID（gh_…）：请从公众平台复制 AppID，即 wx 加 16 位数字或字母 a 到 f",
    "is no AppID: copy it from the console, wx and 16 digits or letters a to f": (
        "不是 AppID：请从公众平台复制，即 wx 加 16 位数字或字母 a 到 f"
    ),
    "%(appid)s is no AppID: wx and 16 digits or letters a to f": (
        "中的 %(appid)s 不是 AppID：应为 wx 加 16 位数字或字母 a 到 f"
    ),
    "holds an AppID: copy the original ID (gh_…) from the console": (
        "填的是 AppID：请从公众平台复制原始ID（gh_…）"
    ),
    "%(part)s is no IP address and no network: write such as 10.0.0.5,10.1.0.0/16": (
        "中的 %(part)s 不是 IP 地址或网段：写法如 10.0.0.5,10.1.0.0/16"
    ),
    "%(domain)s is no domain: write it as in the console, without https:// and without a path, "
    "such as www.example.com": (
        "中的 %(domain)s 不是域名：请按公众平台的写法填写，不带 https:// 和路径，如 www.example.com"
    ),
    "must be exactly 43 letters and digits: copy it from the console": (
        "必须恰好是 43 位字母和数字：请从公众平台复制"
    ),
    "must be 3 to 32 letters and digits: copy it from the console": (
        "必须是 3 到 32 位字母和数字：请从公众平台复制"
    ),
    "an Official Account needs one: copy it from the console": (
        "未设置，而公众号需要它：请从公众平台复制"
    ),
    "message mode %(mode)s needs one: copy it from the console, or set the mode to plain": (
        "未设置，而消息加解密方式 %(mode)s 需要它：请从公众平台复制，或把方式设为 plain"
    ),
    "token %(number)s has fewer than %(least)s characters; make one with: openssl rand -hex 24": (
        "中第 %(number)s 个令牌不足 %(least)s 个字符：请用 openssl rand -hex 24 生成"
    ),
    "%(part)s is no rate: write an API, the calls and the seconds, from 1 to %(most)s, such as "
    "message/custom/send=1000/60": (
        "中的 %(part)s 不是频率：请写接口、次数和秒数（1 到 %(most)s），"
        "如 message/custom/send=1000/60"
    ),
    "must start with postgresql://, or be empty for the embedded Postgres": (
        "必须以 postgresql:// 开头；使用内置 Postgres 时留空"
    ),
    "holds a port that is no number up to 65535": "中的端口不是 65535 以内的数字",
    "must be https:// (or http://) and the host under which browsers reach the service, with no "
    "path, such as https://oa.example.com": (
        "必须是 https://（或 http://）加浏览器访问本服务的域名，不带路径，如 https://oa.example.com"
    ),
    "is not known: write an IANA name such as Asia/Shanghai": (
        "不是已知的时区：请填写 IANA 名称，如 Asia/Shanghai"
    ),
    "must be a URL such as https://api.weixin.qq.com": "必须是网址，如 https://api.weixin.qq.com",
    "must be https:// for %(host)s, since access tokens and AppSecrets go there; http:// is for "
    "this machine and for names without a dot": (
        "访问 %(host)s 必须用 https://，因为会发送 access_token 和 AppSecret；http:// 只用于本机和"
        "不含点的主机名"
    ),
    "is %(number)s bytes too long for the socket of the embedded Postgres: choose a shorter path, "
    "or set DATABASE_URL": (
        "对内置 Postgres 的套接字来说长了 %(number)s 字节：请改用更短的路径，或设置 DATABASE_URL"
    ),
    "%(folder)s is no folder: create the folder, or correct the path": (
        "指定的 %(folder)s 不是文件夹：请创建文件夹，或改正路径"
    ),
    "%(folder)s does not exist: create the folder, or correct the path": (
        "指定的 %(folder)s 不存在：请创建文件夹，或改正路径"
    ),
    "%(folder)s can't be read by this user: change its permissions": (
        "指定的 %(folder)s 当前用户无法读取：请修改权限"
    ),
    "%(appid)s is configured twice": "%(appid)s 重复配置",
    "%(first)s and %(second)s have the same Token: give each account its own in the console": (
        "相同：%(first)s 和 %(second)s 使用了同一个 Token，请在公众平台为每个账号设置不同的 Token"
    ),
    "can't read %(path)s: %(reason)s": "指定的 %(path)s 无法读取（%(reason)s）",
    "can't be read: %(reason)s": "无法读取（%(reason)s）",
    "is not UTF-8 text: save it as UTF-8": "不是 UTF-8 文本：请另存为 UTF-8",
    "%(path)s is not UTF-8 text: save it as UTF-8": (
        "指定的 %(path)s 不是 UTF-8 文本：请另存为 UTF-8"
    ),
    "%(path)s is not valid TOML: %(reason)s": "指定的 %(path)s 不是有效的 TOML（%(reason)s）",
    "%(path)s has no account: add an [[account]] table, or leave ACCOUNTS_FILE empty": (
        "指定的 %(path)s 中没有账号：请添加 [[account]] 表，或把 ACCOUNTS_FILE 留空"
    ),
    "%(path)s: `%(name)s` %(fix)s Write each account as an [[account]] table": (
        "指定的 %(path)s 中的 `%(name)s` %(fix)s（每个账号写成一个 [[account]] 表）"
    ),
    "%(path)s: write each account as an [[account]] table": (
        "指定的 %(path)s：请把每个账号写成一个 [[account]] 表"
    ),
    "must be %(some)s or %(last)s": "必须是 %(some)s 或 %(last)s",
    "ACCOUNTS_FILE account %(number)s %(field)s": (
        "ACCOUNTS_FILE 中第 %(number)s 个账号的 %(field)s"
    ),
    **REASONS_ZH,
}
_PHRASES: Final = tuple(SETTINGS_ZH)


def problem_in_chinese(problem: str) -> str:
    """Return what is wrong with a setting; a sentence that is not known stays English."""
    # Every problem begins with the name of the setting.
    name, _, wrong = problem.partition(": ")
    return f"{_in_chinese(name)} {_in_chinese(wrong)}"


def _in_chinese(text: str) -> str:
    return in_language(text, _PHRASES, SETTINGS_ZH.__getitem__)
