"""Checks of the way from WeChat to here: callback URL and pushes. Pure. Source: linkage 8."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Final

from app.doctor.checks.api import with_code
from app.doctor.checks.refusal_causes import Cause, cause_of
from app.doctor.facts import Facts, Probe, Pushes, RefusedPushes, Shared
from app.doctor.finding import Both, Finding, fault, look, not_applicable, ok
from app.doctor.words import NO_APPSECRET, NOT_CHECKED, duration, explained, named
from app.settings import Account

CALLBACK_PROBE: Final = "callback_check"
PUBLIC_URL_PROBE: Final = "public_url"
NO_CALLBACK_URL: Final = 40201
# Silence that is unusual: so many times the usual pause, and never less than this.
UNUSUAL: Final = 20
MIN_SILENCE: Final = timedelta(minutes=30)
# Strangers find every address. Fewer refusals than one for so many pushes are theirs.
STRANGERS: Final = 10
FAILURES: Final = {
    "name_not_found": Both("its name is not found", "域名无法解析"),
    "tls_failed": Both("TLS failed", "TLS 失败"),
    "timed_out": Both("no answer in time", "超时无应答"),
    "refused": Both("the connection is refused", "连接被拒绝"),
    "unreachable": Both("it can't be reached", "无法到达"),
    "broken": Both("the connection broke", "连接中断"),
}


def receiving(facts: Facts) -> Iterator[Account]:
    """Yield the Official Accounts that receive pushes."""
    return (one for one in facts.settings.accounts.values() if one.kind == "oa" and one.receives)


def callback_url(facts: Facts, shared: Shared) -> Iterator[Finding]:
    """Check whether WeChat's console has a callback URL, and what WeChat finds for its host."""
    for account in receiving(facts):
        if account.appsecret is None:
            yield not_applicable("callback-url", NO_APPSECRET, appid=account.appid)
            continue
        probe = shared.probe(CALLBACK_PROBE, account.appid)
        if probe is None or probe.result.get("error") == "no_token":
            yield not_applicable("callback-url", NOT_CHECKED, appid=account.appid)
        else:
            yield _as_wechat_sees_it(facts, account.appid, probe)


def _as_wechat_sees_it(facts: Facts, appid: str, probe: Probe) -> Finding:
    errcode = probe.result.get("errcode")
    address = f"{(facts.settings.public_url or 'https://HOST').rstrip('/')}/callback/{appid}"
    if errcode == NO_CALLBACK_URL:
        return fault(
            "callback-url",
            Both(
                "The account has no callback URL in WeChat's console.",
                "该账号在公众平台没有服务器地址(URL)。",
            ),
            Both(
                f"Enter {address} with Token and EncodingAESKey in the console's server "
                "configuration "
                "(服务器配置), and switch it on.",
                f"请在公众平台“服务器配置”中填写 {address}、Token 和 EncodingAESKey，并启用。",
            ),
            appid=appid,
            checked_at=probe.checked_at,
        )
    if errcode is not None:
        meaning, fix = explained(errcode, probe.result.get("rid"))
        return look(
            "callback-url",
            with_code(meaning, errcode),
            fix,
            appid=appid,
            checked_at=probe.checked_at,
        )
    if "error" in probe.result:
        return not_applicable("callback-url", NOT_CHECKED, appid=appid, checked_at=probe.checked_at)
    found: Sequence[str] = probe.result.get("addresses", ())
    if not found:
        return fault(
            "callback-url",
            Both(
                "WeChat finds no address for the host of the callback URL.",
                "微信解析不到服务器地址(URL)的域名。",
            ),
            Both(
                "Correct the host of the URL in the console's server configuration (服务器配置), "
                "or its DNS record.",
                "请改正公众平台“服务器配置”中 URL 的域名，或其 DNS 记录。",
            ),
            appid=appid,
            checked_at=probe.checked_at,
        )
    return ok(
        "callback-url",
        Both(f"WeChat sends pushes to {named(found)}.", f"微信把推送发往 {named(found)}。"),
        appid=appid,
        checked_at=probe.checked_at,
    )


def public_url(facts: Facts, shared: Shared) -> Iterator[Finding]:
    """Check that the callback endpoint answers under PUBLIC_URL."""
    if facts.settings.public_url is None:
        yield not_applicable(
            "public-url",
            Both(
                "PUBLIC_URL is not set, so it is not called.", "未设置 PUBLIC_URL，因此不访问它。"
            ),
        )
        return
    for account in receiving(facts):
        probe = shared.probe(PUBLIC_URL_PROBE, account.appid)
        if probe is None:
            yield not_applicable("public-url", NOT_CHECKED, appid=account.appid)
            continue
        more = {"appid": account.appid, "checked_at": probe.checked_at}
        address = f"{facts.settings.public_url.rstrip('/')}/callback/{account.appid}"
        if probe.result.get("echoed"):
            yield ok(
                "public-url",
                Both(f"{address} answers a signed check.", f"{address} 能正确应答签名验证。"),
                **more,
            )
            continue
        told = _answer(probe)
        yield fault(
            "public-url",
            Both(
                f"{address} does not answer a signed check as this service does ({told.en}).",
                f"{address} 对签名验证的应答不正确（{told.zh}）。",
            ),
            Both(
                "Let the proxy pass /callback/ to this service unchanged, with a certificate "
                "that is valid; correct "
                "PUBLIC_URL if it is another address.",
                "请让反向代理把 /callback/ 原样转发到本服务，并使用有效证书；若地址不对，请改正 "
                "PUBLIC_URL。",
            ),
            **more,
        )


def _answer(probe: Probe) -> Both:
    status = probe.result.get("status")
    if status is not None:
        return Both(f"HTTP {status}", f"HTTP {status}")
    return FAILURES.get(probe.result.get("error", ""), FAILURES["broken"])


def last_push(facts: Facts, shared: Shared) -> Iterator[Finding]:
    """Check when WeChat last pushed, against the account's usual rhythm."""
    for account in receiving(facts):
        found = shared.pushes.get(account.appid, Pushes())
        if found.last is None:
            yield look(
                "last-push",
                Both(
                    "WeChat has never pushed anything for this account.",
                    "微信从未向该账号推送过任何消息。",
                ),
                Both(
                    "Switch the server configuration (服务器配置) on in WeChat's console, then "
                    "write to the account.",
                    "请在公众平台启用“服务器配置”，然后给该账号发一条消息。",
                ),
                appid=account.appid,
            )
            continue
        silence = facts.now - found.last
        ago = duration(silence.total_seconds())
        if found.usual_seconds is None:
            yield ok(
                "last-push",
                Both(f"The last push came {ago.en} ago.", f"最近一次推送在 {ago.zh}前。"),
                appid=account.appid,
            )
            continue
        usual = duration(found.usual_seconds)
        what = Both(
            f"The last push came {ago.en} ago; usually one comes every {usual.en}.",
            f"最近一次推送在 {ago.zh}前；通常每 {usual.zh}一次。",
        )
        if silence < max(MIN_SILENCE, timedelta(seconds=found.usual_seconds * UNUSUAL)):
            yield ok("last-push", what, appid=account.appid)
        else:
            yield look(
                "last-push",
                what,
                Both(
                    "Write to the account; if nothing arrives, check in WeChat's console that "
                    "the server "
                    "configuration (服务器配置) is on and its URL is right.",
                    "请给该账号发一条消息；若未收到，请在公众平台检查“服务器配置”是否启用、URL 是"
                    "否正确。",
                ),
                appid=account.appid,
                since=found.last,
            )


def refused_pushes(facts: Facts, shared: Shared) -> Iterator[Finding]:
    """Report the likely cause of refused pushes of the last day."""
    found = False
    for account in receiving(facts):
        refused = [one for one in shared.refused_pushes if one.appid == account.appid]
        if not refused:
            continue
        found = True
        yield _refused_account(facts, account, refused, shared.pushes.get(account.appid, Pushes()))
    unknown = [one for one in shared.refused_pushes if not one.appid and one.reason != "overloaded"]
    overloaded = sum(one.count for one in shared.refused_pushes if one.reason == "overloaded")
    if overloaded:
        cause = cause_of("overloaded")
        yield look("refused-pushes", _counted(cause, overloaded, "overloaded"), cause.fix)
    silent = all(shared.pushes.get(one.appid, Pushes()).last is None for one in receiving(facts))
    if unknown and silent:
        count = sum(one.count for one in unknown)
        cause = cause_of("unknown_appid")
        yield look("refused-pushes", _counted(cause, count, "unknown_appid"), cause.fix)
    elif not found and not overloaded:
        yield ok(
            "refused-pushes",
            Both("No push was refused in the last day.", "最近一天没有拒绝任何推送。"),
        )


def _refused_account(
    facts: Facts, account: Account, refused: Sequence[RefusedPushes], accepted: Pushes
) -> Finding:
    evidence = {"refused": {one.reason: one.count for one in refused}}
    lasting = [one for one in refused if not _is_over(one, accepted)]
    if not lasting:
        total = sum(one.count for one in refused)
        what = Both(
            f"{total} pushes were refused in the last day; WeChat's have come in since.",
            f"最近一天拒绝过 {total} 个推送；之后微信的推送正常。",
        )
        return ok("refused-pushes", what, appid=account.appid, evidence=evidence)
    total = sum(one.count for one in lasting)
    main = max(lasting, key=lambda one: (cause_of(one.reason).rank, one.seen_at))
    # What came after the last good push may be all that comes.
    none_since = accepted.last is None or facts.now - accepted.last > timedelta(days=1)
    broke_off = accepted.last is not None and main.seen_at - accepted.last > _unusual(accepted)
    cause = cause_of(main.reason)
    what = _counted(cause, main.count, main.reason)
    if cause.rank and (none_since or broke_off):
        return fault("refused-pushes", what, cause.fix, appid=account.appid, evidence=evidence)
    if cause.rank and total * STRANGERS >= accepted.today:
        return look("refused-pushes", what, cause.fix, appid=account.appid, evidence=evidence)
    return ok(
        "refused-pushes",
        Both(
            f"{total} pushes were refused in the last day, as strangers send them; WeChat's came "
            "in.",
            f"最近一天拒绝了 {total} 个来自陌生人的请求；微信的推送正常。",
        ),
        appid=account.appid,
        evidence=evidence,
    )


def _is_over(refused: RefusedPushes, accepted: Pushes) -> bool:
    """Return whether good pushes came after the last refused one, and not just beside it."""
    if accepted.last is None:
        return False
    return accepted.last - refused.seen_at > min(_unusual(accepted), MIN_SILENCE)


def _unusual(accepted: Pushes) -> timedelta:
    """Return a pause between pushes that is not by chance."""
    return timedelta(seconds=3 * (accepted.usual_seconds or 0)) + timedelta(minutes=2)


def _counted(cause: Cause, count: int, reason: str) -> Both:
    return Both(
        f"{cause.what.en} ({reason}, {count} in the last day)",
        f"{cause.what.zh}（{reason}，最近一天 {count} 次）",
    )
