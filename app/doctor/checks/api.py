"""Checks of WeChat's API: access tokens, refused calls, quotas. Pure. Source: protocol 7 and 11."""

import re
from collections.abc import Iterator
from dataclasses import asdict
from datetime import timedelta
from ipaddress import ip_address
from typing import Any, Final

from app.doctor.checks.figures import refuses_figures
from app.doctor.facts import Facts, Refusal, Shared
from app.doctor.finding import Both, Finding, fault, look, not_applicable, ok
from app.doctor.words import NOT_CHECKED, explained
from app.wechat.errcodes import Action, action_for
from app.wechat.failure_words import failure_in
from app.wechat_client.quota_store import NEARLY_USED_UP

STABLE_TOKEN: Final = "stable_token"  # noqa: S105 - the name of an API
WRONG_APPSECRET: Final = 40125
INVALID_CREDENTIAL: Final = 40001
NOT_LISTED: Final = 40164
# Most outages are over by then, so that nobody has to do anything.
LASTING: Final = timedelta(minutes=1)

_ADDRESS: Final = re.compile(r"(?<![\w.:])(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9a-fA-F]*:[0-9a-fA-F:.]+)")


def access_token(facts: Facts, shared: Shared) -> Iterator[Finding]:
    """Check that WeChat gives out access tokens."""
    appids = [appid for appid, found in facts.settings.accounts.items() if found.appsecret]
    if not appids:
        yield not_applicable(
            "access-token", Both("No account has an AppSecret.", "没有账号设置了 AppSecret。")
        )
    for appid in appids:
        refused = shared.refusal(appid, STABLE_TOKEN)
        times = shared.snapshot.tokens.get(appid)
        if refused is not None:
            yield _refused_token(refused)
        elif times is not None and times.expires_in > 0:
            yield ok(
                "access-token",
                Both("WeChat gives out access tokens.", "可以正常获取 access_token。"),
                appid=appid,
            )
        else:
            yield look(
                "access-token",
                Both("There is no valid access token yet.", "还没有有效的 access_token。"),
                Both(
                    "Start a worker, which requests one every minute.",
                    "请启动 worker，它每分钟会获取一次。",
                ),
                appid=appid,
            )


def _refused_token(refused: Refusal) -> Finding:
    more: dict[str, Any] = {
        "appid": refused.appid,
        "since": refused.since,
        "evidence": evidence_of(refused),
    }
    if refused.errcode is None:
        return fault(
            "access-token",
            Both(
                f"WeChat gives no answer to the request for a token: {refused.errmsg}.",
                f"获取 access_token 时微信没有应答：{failure_in('zh', refused.errmsg)}。",
            ),
            Both(
                "Let the worker's machine reach api.weixin.qq.com on port 443, and check its DNS "
                "and proxies.",
                "请允许 worker 所在机器访问 api.weixin.qq.com 的 443 端口，并检查 DNS 与代理。",
            ),
            **more,
        )
    # From this API 40001 means a wrong AppSecret (protocol 7.3).
    code = WRONG_APPSECRET if refused.errcode == INVALID_CREDENTIAL else refused.errcode
    meaning, fix = explained(code, refused.rid)
    address = address_in(refused.errmsg)
    if refused.errcode == NOT_LISTED and address is not None:
        fix = Both(
            f"Add {address} to the IP whitelist (IP白名单) of the account in WeChat's console.",
            f"请在公众平台把 {address} 加入该账号的 IP白名单。",
        )
    return fault("access-token", with_code(meaning, refused.errcode), fix, **more)


def api_refusals(facts: Facts, shared: Shared) -> Iterator[Finding]:
    """Report the last refusal of each API but that of tokens."""
    found = False
    for refused in shared.refusals:
        if refused.api == STABLE_TOKEN or refused.appid not in facts.settings.accounts:
            continue
        if refused.mini_program is not None:  # `mini_program_cards` reports it
            continue
        if refuses_figures(refused):  # `wechat_figures` reports it
            continue
        found = True
        yield _refused_call(refused)
    if not found:
        yield ok(
            "api-refusals",
            Both("WeChat refused no call in the last day.", "最近一天微信没有拒绝任何调用。"),
        )


def _refused_call(refused: Refusal) -> Finding:
    if refused.errcode is None:
        is_outage = refused.probe_at is not None
        lasts = is_outage and refused.seen_at - refused.since >= LASTING
        reason = Both(refused.errmsg, failure_in("zh", refused.errmsg))
        return (fault if lasts else look)(
            "api-refusals",
            Both(
                f"{refused.api} gets no answer from WeChat, and these calls wait: {reason.en}.",
                f"调用 {refused.api} 一直没有得到微信的应答，此类调用暂停：{reason.zh}。",
            )
            if is_outage
            else Both(
                f"{refused.api} got no answer from WeChat: {reason.en}.",
                f"调用 {refused.api} 时微信没有应答：{reason.zh}。",
            ),
            Both(
                "If it goes on, check the way from the worker to api.weixin.qq.com.",
                "若持续出现，请检查 worker 到 api.weixin.qq.com 的网络。",
            ),
            appid=refused.appid,
            since=refused.since,
            evidence=evidence_of(refused),
        )
    meaning, fix = explained(refused.errcode, refused.rid)
    permanent = action_for(refused.errcode) is Action.CONFIGURATION
    code = with_code(meaning, refused.errcode)
    return (fault if permanent else look)(
        "api-refusals",
        Both(f"{refused.api}: {code.en}", f"{refused.api}：{code.zh}"),
        fix,
        appid=refused.appid,
        since=refused.since,
        evidence=evidence_of(refused),
    )


def api_quota(facts: Facts, shared: Shared) -> Iterator[Finding]:
    """Check how much of each API's quota of the day is used. Source: protocol 7.4."""
    for appid, account in facts.settings.accounts.items():
        if account.kind != "oa" or account.appsecret is None:
            continue
        known = [use for use in shared.quotas if use.appid == appid and use.daily_limit]
        if not known:
            yield not_applicable("api-quota", NOT_CHECKED, appid=appid)
            continue
        most = max(known, key=lambda use: use.share)
        what = Both(
            f"{most.path}: {most.used:,} of {most.daily_limit:,} calls of today are used.",
            f"{most.path}：今日 {most.daily_limit:,} 次额度已用 {most.used:,} 次。",
        )
        if most.share < NEARLY_USED_UP:
            yield ok("api-quota", what, appid=appid, checked_at=most.asked_at)
            continue
        fix = Both(
            "Find what calls so often, and wait for the next day in Shanghai, or run oa-bridge "
            f"quota clear --appid {appid}: WeChat allows ten clearings a month.",
            "请查明是什么在频繁调用，并等待次日（北京时间），或运行 oa-bridge quota clear "
            f"--appid {appid}：每月可清零十次。",
        )
        yield (fault if most.share >= 1 else look)(
            "api-quota", what, fix, appid=appid, checked_at=most.asked_at
        )


def with_code(meaning: Both, errcode: int) -> Both:
    """Return a sentence with its errcode."""
    return Both(f"{meaning.en} (errcode {errcode})", f"{meaning.zh}（errcode {errcode}）")


def evidence_of(refused: Refusal) -> dict[str, Any]:
    """Return WeChat's own words as JSON."""
    told = asdict(refused)
    times = ("since", "seen_at", "probe_at")
    return told | {name: told[name].isoformat() for name in times if told[name] is not None}


def address_in(errmsg: str) -> str | None:
    """Return the first IP address that an errmsg names; None without any."""
    for found in _ADDRESS.findall(errmsg):
        try:
            return str(ip_address(found))
        except ValueError:
            continue
    return None
