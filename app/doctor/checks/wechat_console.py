"""Checks of what WeChat's console switches off with the server configuration. Pure.

While the server configuration is on, the console's automatic replies do not answer and its custom
menu is not shown. Source: linkage 1.5.
"""

from collections.abc import Iterator
from typing import Any, Final

from app.doctor.checks.pushes import receiving
from app.doctor.facts import Facts, Probe, Shared
from app.doctor.finding import Both, Finding, look, not_applicable, ok
from app.doctor.words import NO_APPSECRET, NOT_CHECKED
from app.wechat.failure_words import failure_in

MENU_PROBE: Final = "menu"
REPLIES_PROBE: Final = "console_replies"


def console_menu(facts: Facts, shared: Shared) -> Iterator[Finding]:
    """Check that followers see a custom menu, if there is one."""
    for appid, probe in _probed(facts, shared, MENU_PROBE):
        if isinstance(probe, Both):
            yield not_applicable("console-menu", probe, appid=appid)
        elif not probe.result["open"]:
            yield look(
                "console-menu",
                Both(
                    "The custom menu is switched off, as it is when the server configuration is "
                    "switched on.",
                    "自定义菜单未启用：启用服务器配置时它会被停用。",
                ),
                Both(
                    "Publish a menu on the page Menus of the console, or leave it if the account "
                    "needs none.",
                    "请在控制台的“自定义菜单”页面发布菜单；若不需要菜单则无需处理。",
                ),
                appid=appid,
                checked_at=probe.checked_at,
            )
        else:
            number = probe.result["buttons"]
            yield ok(
                "console-menu",
                Both(
                    f"The custom menu is on; buttons: {number}.",
                    f"自定义菜单已启用；一级菜单：{number} 个。",
                ),
                appid=appid,
                checked_at=probe.checked_at,
            )


def console_replies(facts: Facts, shared: Shared) -> Iterator[Finding]:
    """Check for automatic replies of the console that no rule has taken over."""
    for appid, probe in _probed(facts, shared, REPLIES_PROBE):
        if isinstance(probe, Both):
            yield not_applicable("console-replies", probe, appid=appid)
            continue
        number, own = probe.result["rules"], _rules_of(shared, appid)
        more: dict[str, Any] = {"appid": appid, "checked_at": probe.checked_at}
        if not number:
            yield ok(
                "console-replies",
                Both("The console has no automatic replies.", "公众平台没有设置自动回复。"),
                **more,
            )
        elif own:
            yield ok(
                "console-replies",
                Both(
                    f"The console's {number} automatic replies are switched off; {own} rules "
                    "answer here.",
                    f"公众平台的 {number} 条自动回复已停用；由这里的 {own} 条规则回复。",
                ),
                **more,
            )
        else:
            yield look(
                "console-replies",
                Both(
                    f"The console has {number} automatic replies, which do not answer while the "
                    "server configuration "
                    "is on, and there is no rule here.",
                    f"公众平台有 {number} 条自动回复，启用服务器配置后它们不再生效，而这里还没有"
                    "规则。",
                ),
                Both(
                    f"Take them over: oa-bridge rules import --from-wechat --appid {appid}.",
                    f"请导入它们：oa-bridge rules import --from-wechat --appid {appid}。",
                ),
                **more,
            )


def _probed(facts: Facts, shared: Shared, name: str) -> Iterator[tuple[str, Probe | Both]]:
    """Yield each account with the probe's result, or why there is none."""
    for account in receiving(facts):
        probe = shared.probe(name, account.appid)
        if account.appsecret is None:
            yield account.appid, NO_APPSECRET
        elif probe is None:
            yield account.appid, NOT_CHECKED
        elif "error" in probe.result:
            # An account that is not verified has no such API, and then nothing to look at.
            told = str(probe.result.get("errcode") or probe.result["error"])
            in_chinese = failure_in("zh", told)
            yield (
                account.appid,
                Both(f"WeChat does not say ({told}).", f"微信未提供（{in_chinese}）。"),
            )
        else:
            yield account.appid, probe


def _rules_of(shared: Shared, appid: str) -> int:
    by_account = {} if shared.rules is None else shared.rules.by_account
    return by_account.get(appid, 0) + by_account.get(None, 0)
