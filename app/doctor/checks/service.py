"""Checks of the settings and of this machine. Pure."""

from collections.abc import Iterator
from typing import Final

from app.doctor.facts import Facts, Shared
from app.doctor.finding import Both, Finding, fault, look, not_applicable, ok
from app.doctor.words import named
from app.secret_box import WRONG_KEY
from app.settings import MessageMode

OFFICIAL_API: Final = "https://api.weixin.qq.com"
MEBIBYTE: Final = 1024 * 1024
FEW_BYTES: Final = 1024 * MEBIBYTE
TOO_FEW_BYTES: Final = 100 * MEBIBYTE
# Of random characters, 24 have more than these; `aaaa…` and a word repeated have not.
MIN_DIFFERENT_CHARACTERS: Final = 10


def valid_settings(facts: Facts) -> Iterator[Finding]:
    """Check that the calls go to WeChat. Bad values end the start, so they never come here."""
    base = facts.settings.wechat_api_base_url.rstrip("/")
    if base != OFFICIAL_API:
        yield look(
            "settings",
            Both(
                f"Calls of WeChat's API go to {base}, not to WeChat.",
                f"微信接口的请求发往 {base}，而不是微信。",
            ),
            Both(
                "For a real account remove WECHAT_API_BASE_URL from the settings.",
                "对于真实账号，请从设置中删除 WECHAT_API_BASE_URL。",
            ),
        )
        return
    number = len(facts.settings.accounts)
    yield ok(
        "settings",
        Both(f"The settings are valid; accounts: {number}.", f"设置有效；账号数：{number}。"),
    )


def account(facts: Facts) -> Iterator[Finding]:
    """Check what each account can do with what the settings give."""
    for appid, found in facts.settings.accounts.items():
        if found.kind == "oa" and found.appsecret is None:
            yield look(
                "account",
                Both(
                    "The AppSecret is not set, so no card is sent and no UnionID is learned.",
                    "未设置 AppSecret，因此无法发送卡片，也无法获取 UnionID。",
                ),
                Both(
                    "Copy the AppSecret (开发者密码) from WeChat's console to WECHAT_APPSECRET or "
                    "ACCOUNTS_FILE, and restart.",
                    "请把公众平台的开发者密码(AppSecret)填入 WECHAT_APPSECRET 或 ACCOUNTS_FILE，"
                    "然后重启。",
                ),
                appid=appid,
            )
        elif found.receives and found.message_mode is MessageMode.PLAIN:
            yield look(
                "account",
                Both(
                    "The account is in plain mode: what followers write is neither encrypted nor "
                    "signed.",
                    "该账号使用明文模式：用户的消息既未加密，内容也没有签名。",
                ),
                Both(
                    "Choose 安全模式 in the console's server configuration (服务器配置), and set "
                    "WECHAT_MESSAGE_MODE=secure with the EncodingAESKey.",
                    "请在公众平台“服务器配置”中选择安全模式，并设置 WECHAT_MESSAGE_MODE=secure 和"
                    " EncodingAESKey。",
                ),
                appid=appid,
            )
        else:
            kind = (
                Both("Official Account", "公众号")
                if found.kind == "oa"
                else Both("mini-program", "小程序")
            )
            yield ok(
                "account",
                Both(
                    f"An {kind.en} is configured."
                    if found.kind == "oa"
                    else f"A {kind.en} is configured.",
                    f"已配置{kind.zh}。",
                ),
                appid=appid,
            )


def embedded_postgres(facts: Facts) -> Iterator[Finding]:
    """Check that a real account does not live on the embedded Postgres."""
    if not facts.settings.uses_embedded_postgres:
        yield ok(
            "embedded-postgres",
            Both("The database is a Postgres of its own.", "数据库是独立的 Postgres。"),
        )
    elif facts.settings.wechat_api_base_url.rstrip("/") == OFFICIAL_API:
        yield look(
            "embedded-postgres",
            Both(
                "A real account uses the embedded Postgres, which is for trying things out: it "
                "has no "
                "backups and ends with this machine.",
                "真实账号正在使用内置 Postgres，它只适合试用：没有备份，且与本机共存亡。",
            ),
            Both(
                "Set DATABASE_URL to a Postgres 15 or newer, and run oa-bridge migrate.",
                "请把 DATABASE_URL 设为 Postgres 15 或更新版本，然后运行 oa-bridge migrate。",
            ),
        )
    else:
        yield ok(
            "embedded-postgres",
            Both("The embedded Postgres serves a simulator.", "内置 Postgres 只服务于模拟器。"),
        )


def admin_tokens(facts: Facts, shared: Shared) -> Iterator[Finding]:
    """Check the tokens of /api. The settings refuse those that are too short."""
    tokens = [token.get_secret_value() for token in facts.settings.admin_tokens]
    if not tokens and not shared.tokens.any_valid:
        yield look(
            "admin-tokens",
            Both(
                "There is no token, so /api answers nobody.",
                "没有任何令牌，/api 不对任何人开放。",
            ),
            Both(
                "Make one with oa-bridge tokens add, or with openssl rand -hex 24 for "
                "ADMIN_TOKENS.",
                "请用 oa-bridge tokens add 创建，或用 openssl rand -hex 24 生成后填入 "
                "ADMIN_TOKENS。",
            ),
        )
        return
    weak = [
        number
        for number, token in enumerate(tokens, 1)
        if len(set(token)) < MIN_DIFFERENT_CHARACTERS
    ]
    if weak:
        yield look(
            "admin-tokens",
            Both(
                f"ADMIN_TOKENS has a token that can be guessed: number {named(weak)}.",
                f"ADMIN_TOKENS 中有容易被猜到的令牌：第 {named(weak)} 个。",
            ),
            Both("Replace it: openssl rand -hex 24.", "请更换：openssl rand -hex 24。"),
        )
        return
    if shared.tokens.unused:
        name, scopes = next(iter(shared.tokens.unused.items()))
        yield look(
            "admin-tokens",
            Both(
                f"Tokens have scopes that they have not needed in 30 days: "
                f"{named(shared.tokens.unused)}. {name} does not need {named(scopes)}.",
                f"以下令牌有 30 天内未用到的权限范围：{named(shared.tokens.unused)}。{name} 未用到 "
                f"{named(scopes)}。",
            ),
            Both(
                f"Make a token with fewer scopes (oa-bridge tokens add), let the program use it, "
                f"then oa-bridge tokens revoke {name}.",
                f"请用 oa-bridge tokens add 创建权限范围更小的令牌供程序使用，然后运行 oa-bridge "
                f"tokens revoke {name}。",
            ),
        )
        return
    yield ok(
        "admin-tokens",
        Both(
            "The tokens of /api are long enough and use their scopes.",
            "/api 的令牌足够长，其权限范围也都在使用。",
        ),
    )


def secrets(facts: Facts, shared: Shared) -> Iterator[Finding]:
    """Check that the secrets in the database are encrypted and can be read."""
    stored = shared.secrets
    if stored is None:
        yield not_applicable(
            "secrets", Both("The secrets can't be read now.", "暂时无法读取密钥。")
        )
    elif stored.unreadable:
        yield fault(
            "secrets",
            Both(
                f"Secrets in the database can't be decrypted: {named(stored.unreadable)}.",
                f"数据库中的密钥无法解密：{named(stored.unreadable)}。",
            ),
            Both(
                f"{WRONG_KEY[:1].upper()}{WRONG_KEY[1:]}.",
                "请把 SECRET_KEY 设为写入时所用的值；更换期间把旧值设为 SECRET_KEY_PREVIOUS。",
            ),
        )
    elif facts.settings.secret_key is None:
        yield look(
            "secrets",
            Both("Secrets stand in the database in clear.", "密钥以明文存放在数据库中。"),
            Both(
                "Set SECRET_KEY (openssl rand -hex 32) in every process, then run oa-bridge "
                "secrets rewrite.",
                "请在所有进程中设置 SECRET_KEY（openssl rand -hex 32），然后运行 oa-bridge "
                "secrets rewrite。",
            ),
        )
    elif stored.outdated:
        yield look(
            "secrets",
            Both(
                f"Secrets in clear, or encrypted with the key before: {stored.outdated}.",
                f"有 {stored.outdated} 个密钥是明文，或仍用旧密钥加密。",
            ),
            Both("Run oa-bridge secrets rewrite.", "请运行 oa-bridge secrets rewrite。"),
        )
    else:
        yield ok(
            "secrets", Both("Secrets are encrypted with SECRET_KEY.", "密钥已用 SECRET_KEY 加密。")
        )


def disk(facts: Facts) -> Iterator[Finding]:
    """Check the disk of DATA_DIR, which holds the spool."""
    free = None if facts.local is None else facts.local.free_bytes
    folder = facts.settings.data_dir
    if free is None:
        yield not_applicable(
            "disk", Both("DATA_DIR is not on this machine.", "本机没有 DATA_DIR。")
        )
        return
    mebibytes = free // MEBIBYTE
    if free >= FEW_BYTES:
        yield ok(
            "disk",
            Both(f"{mebibytes:,} MiB are free at DATA_DIR.", f"DATA_DIR 剩余 {mebibytes:,} MiB。"),
        )
        return
    what = Both(
        f"Only {mebibytes} MiB are free at DATA_DIR ({folder}): callbacks can't be kept there "
        "while the "
        "database is unavailable.",
        f"DATA_DIR（{folder}）只剩 {mebibytes} MiB：数据库不可用时无法暂存回调。",
    )
    fix = Both("Make room on this disk.", "请清理该磁盘。")
    yield (fault if free < TOO_FEW_BYTES else look)("disk", what, fix)


def spool(facts: Facts) -> Iterator[Finding]:
    """Check what waits on disk for the database."""
    found = None if facts.local is None else facts.local.spool
    if found is None or not found.enabled:
        yield not_applicable("spool", Both("This process has no spool.", "本进程没有暂存文件。"))
    elif found.refusing or found.full:
        yield fault(
            "spool",
            Both(
                "Callbacks are refused: neither the database nor the spool can store them.",
                "回调正被拒绝：数据库和暂存文件都无法保存。",
            ),
            Both(
                "Bring the database back, or make room at DATA_DIR.",
                "请恢复数据库，或为 DATA_DIR 腾出空间。",
            ),
        )
    elif found.dead_letters:
        yield look(
            "spool",
            Both(
                f"{found.dead_letters} callbacks that the database can't hold are set aside.",
                f"有 {found.dead_letters} 条回调因数据库无法保存而被搁置。",
            ),
            Both(
                "Look for inbox.spooled_callback_refused in the log.",
                "请在日志中查找 inbox.spooled_callback_refused。",
            ),
        )
    elif found.count:
        yield look(
            "spool",
            Both(
                f"{found.count} callbacks wait on disk for the database.",
                f"有 {found.count} 条回调在磁盘上等待数据库。",
            ),
            Both(
                "Wait, if the database has just come back; else see the check of the database.",
                "若数据库刚刚恢复，请稍候；否则请查看数据库检查项。",
            ),
        )
    else:
        yield ok("spool", Both("The spool is empty.", "暂存文件为空。"))
