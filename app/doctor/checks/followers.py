"""Checks of what is known about followers. Pure. Source: protocol 8."""

from collections.abc import Iterator
from typing import Final

from app.doctor.facts import Facts, Shared
from app.doctor.finding import Both, Finding, look, not_applicable, ok

RESOLVED: Final = "resolved"
NOT_BOUND: Final = "not_bound"
NOT_FOLLOWING: Final = "not_following"
CONFLICT: Final = "unionid_conflict"
# WeChat was asked and named none, for a reason that may pass.
NO_ANSWER: Final = "no_answer"
FEW: Final = 20
TOO_MANY: Final = 0.2


def unionids(facts: Facts, shared: Shared) -> Iterator[Finding]:
    """Check how many followers have no UnionID, and why. An account without any is allowed."""
    for account in facts.settings.accounts.values():
        counts = dict(shared.unionids.get(account.appid, {}))
        if account.kind != "oa" or not counts:
            continue
        # People who have left have none, whatever the account is bound to.
        counts.pop(NOT_FOLLOWING, None)
        total = sum(counts.values())
        without = total - counts.get(RESOLVED, 0)
        causes = ", ".join(
            f"{reason} {number}" for reason, number in sorted(counts.items()) if reason != RESOLVED
        )
        evidence = {"counts": counts}
        if counts.get(NOT_BOUND) and not counts.get(RESOLVED):
            yield ok(
                "unionids",
                Both(
                    "The account is not bound to an Open Platform account, so it has no "
                    "UnionIDs; that is allowed.",
                    "该账号未绑定微信开放平台，因此没有 UnionID；这是允许的。",
                ),
                appid=account.appid,
                evidence=evidence,
            )
            continue
        what = Both(
            f"{without} of {total} followers have no UnionID" + (f": {causes}." if causes else "."),
            f"{total} 名用户中有 {without} 名没有 UnionID" + (f"：{causes}。" if causes else "。"),
        )
        bad = counts.get(NO_ANSWER, 0) + counts.get(CONFLICT, 0)
        if total >= FEW and bad > total * TOO_MANY:
            yield look(
                "unionids",
                what,
                Both(
                    "See what WeChat refuses at user/info/batchget (check api-refusals), and "
                    "that a worker runs.",
                    "请查看微信对 user/info/batchget 的拒绝（检查项 api-refusals），并确认 "
                    "worker 在运行。",
                ),
                appid=account.appid,
                evidence=evidence,
            )
        else:
            yield ok("unionids", what, appid=account.appid, evidence=evidence)
    if not any(shared.unionids.values()):
        yield not_applicable("unionids", Both("No follower is known yet.", "还没有任何用户。"))
