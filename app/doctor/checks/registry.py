"""All checks, in the order in which they are shown."""

from collections.abc import Callable, Iterable, Iterator
from typing import Final, NamedTuple, TypeAlias

from app.doctor.checks import (
    api,
    campaigns,
    database,
    figures,
    followers,
    pushes,
    qrcodes,
    rules,
    sending,
    service,
    wechat_console,
    worker,
)
from app.doctor.facts import Facts, Shared
from app.doctor.finding import Both, Finding, not_applicable
from app.doctor.words import NO_DATABASE

Check: TypeAlias = Callable[[Facts], Iterable[Finding]]
SharedCheck: TypeAlias = Callable[[Facts, Shared], Iterable[Finding]]


class Entry(NamedTuple):
    """A check and its name in both languages.

    check: needs no database. shared: needs it. local: about this machine, so that a worker's answer
    would say nothing about the web processes.
    """

    title: Both
    check: Check | None = None
    shared: SharedCheck | None = None
    local: bool = False


CHECKS: Final[dict[str, Entry]] = {
    "settings": Entry(Both("Settings", "设置"), check=service.valid_settings),
    "account": Entry(Both("Accounts", "账号"), check=service.account),
    "database": Entry(Both("Database", "数据库"), check=database.database),
    "schema": Entry(Both("Schema of the database", "数据库结构"), check=database.schema),
    "clock": Entry(Both("Clocks", "时钟"), check=database.clock),
    "worker": Entry(Both("Worker", "worker"), shared=worker.worker),
    "queue": Entry(Both("Jobs that wait", "等待中的任务"), shared=worker.queue),
    "spool": Entry(Both("Spool", "暂存文件"), check=service.spool, local=True),
    "disk": Entry(Both("Disk", "磁盘"), check=service.disk, local=True),
    "access-token": Entry(Both("Access token", "access_token"), shared=api.access_token),
    "api-refusals": Entry(
        Both("Calls that WeChat refuses", "被微信拒绝的调用"), shared=api.api_refusals
    ),
    "api-quota": Entry(Both("Quota of the API", "接口额度"), shared=api.api_quota),
    "callback-url": Entry(
        Both("Callback URL as WeChat sees it", "微信眼中的服务器地址(URL)"),
        shared=pushes.callback_url,
    ),
    "public-url": Entry(
        Both("Callback URL from here", "从本机访问服务器地址(URL)"), shared=pushes.public_url
    ),
    "last-push": Entry(Both("Last push", "最近一次推送"), shared=pushes.last_push),
    "refused-pushes": Entry(
        Both("Pushes that were refused", "被拒绝的推送"), shared=pushes.refused_pushes
    ),
    "wechat-figures": Entry(
        Both("WeChat's figures beside ours", "微信统计与本服务对比"),
        shared=figures.wechat_figures,
    ),
    "customer-service": Entry(
        Both("Right to send messages", "客服消息权限"), shared=sending.customer_service
    ),
    "mini-program-cards": Entry(
        Both("Mini-program cards", "小程序卡片"), shared=sending.mini_program_cards
    ),
    "pictures": Entry(Both("Pictures of rules", "规则的图片"), shared=sending.pictures),
    "media-expiry": Entry(Both("Media that expire", "即将过期的素材"), shared=sending.media_expiry),
    "unionids": Entry(Both("UnionIDs", "UnionID"), shared=followers.unionids),
    "rules": Entry(Both("Rules", "规则"), shared=rules.rules),
    "rule-hits": Entry(Both("Rules that nobody meets", "从未命中的规则"), shared=rules.rule_hits),
    "console-replies": Entry(
        Both("The console's automatic replies", "公众平台的自动回复"),
        shared=wechat_console.console_replies,
    ),
    "console-menu": Entry(Both("Custom menu", "自定义菜单"), shared=wechat_console.console_menu),
    "permanent-qrcodes": Entry(
        Both("Permanent QR codes", "永久二维码"), shared=qrcodes.permanent_qrcodes
    ),
    "campaign-codes": Entry(
        Both("Codes of campaigns", "活动的兑换码"), shared=campaigns.campaign_codes
    ),
    "webhooks": Entry(Both("Webhooks", "webhook"), shared=worker.webhooks),
    "retention": Entry(Both("Retention", "保留期限"), shared=worker.retention),
    "erasures": Entry(Both("Erasures", "删除个人数据"), shared=worker.erasures),
    "secrets": Entry(Both("Secrets in the database", "数据库中的密钥"), shared=service.secrets),
    "embedded-postgres": Entry(
        Both("Embedded Postgres", "内置 Postgres"), check=service.embedded_postgres
    ),
    "admin-tokens": Entry(Both("Tokens of /api", "/api 的令牌"), shared=service.admin_tokens),
}


def judge(facts: Facts) -> list[Finding]:
    """Return what every check finds. Without local facts those checks are left out."""
    return [finding for name, entry in CHECKS.items() for finding in _of(name, entry, facts)]


def _of(name: str, entry: Entry, facts: Facts) -> Iterator[Finding]:
    if entry.local and facts.local is None:
        return
    if entry.check is not None:
        yield from entry.check(facts)
    if entry.shared is not None:
        if facts.shared is None:
            yield not_applicable(name, NO_DATABASE)
        else:
            yield from entry.shared(facts, facts.shared)
