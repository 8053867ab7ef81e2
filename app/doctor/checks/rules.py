"""Checks of the rules. Pure."""

from collections.abc import Iterator
from typing import Final

from app.doctor.facts import Facts, Shared
from app.doctor.finding import Both, Finding, fault, look, not_applicable, ok
from app.doctor.words import NOT_CHECKED, named

HITS_PROBE: Final = "rule_hits"


def rules(_: Facts, shared: Shared) -> Iterator[Finding]:
    """Check for rules that are left out, never answer, or open a mini-program that is unknown."""
    found = shared.rules
    if found is None:
        yield not_applicable("rules", Both("The rules can't be read.", "无法读取规则。"))
    elif found.left_out:
        yield fault(
            "rules",
            Both(
                f"Rules are left out, since they are invalid: {named(found.left_out)}.",
                f"以下规则无效，未被使用：{named(found.left_out)}。",
            ),
            Both(
                "GET /api/rules/conflicts says under left_out what is wrong: correct or delete "
                "them.",
                "GET /api/rules/conflicts 的 left_out 中写有原因：请改正或删除它们。",
            ),
        )
    elif found.unknown_mini_programs:
        rule_id, appid = next(iter(found.unknown_mini_programs.items()))
        yield look(
            "rules",
            Both(
                "Rules open a mini-program that is not configured: "
                f"{named(found.unknown_mini_programs)}; rule "
                f"{rule_id} opens {appid}.",
                f"以下规则打开未配置的小程序：{named(found.unknown_mini_programs)}；规则 "
                f"{rule_id} 打开 {appid}。",
            ),
            Both(
                "Correct the rule, or add the AppID to MINI_PROGRAM_APPIDS or ACCOUNTS_FILE.",
                "请改正规则，或把该 AppID 加入 MINI_PROGRAM_APPIDS 或 ACCOUNTS_FILE。",
            ),
        )
    elif found.unreachable:
        yield look(
            "rules",
            Both(
                "Rules never answer, since a better rule does or they are over: "
                f"{named(found.unreachable)}.",
                "以下规则永远不会回复（被更优先的规则覆盖，或已过期）："
                f"{named(found.unreachable)}。",
            ),
            Both(
                "GET /api/rules/conflicts names the better rule: change the priority, or delete "
                "the rule.",
                "GET /api/rules/conflicts 会指出覆盖它的规则：请调整优先级或删除。",
            ),
        )
    else:
        yield ok(
            "rules", Both(f"Rules in use: {found.count}.", f"正在使用的规则：{found.count} 条。")
        )


def rule_hits(_: Facts, shared: Shared) -> Iterator[Finding]:
    """Check for rules that answered nobody in 30 days."""
    probe = shared.probe(HITS_PROBE)
    if probe is None:
        yield not_applicable("rule-hits", NOT_CHECKED)
        return
    unhit = probe.result.get("unhit")
    if unhit is None:
        yield not_applicable(
            "rule-hits",
            Both(
                "It can't be told: the pushes of 30 days are too many to look at, or not there.",
                "无法判断：30 天内的推送过多，或尚不足 30 天。",
            ),
            checked_at=probe.checked_at,
        )
    elif unhit:
        yield look(
            "rule-hits",
            Both(
                f"Rules answered nobody in 30 days: {named(unhit)}.",
                f"以下规则 30 天内从未回复过：{named(unhit)}。",
            ),
            Both(
                "Try their words with POST /api/rules/explain, and correct, switch off or delete "
                "them.",
                "请用 POST /api/rules/explain 试一试其关键词，然后改正、停用或删除。",
            ),
            checked_at=probe.checked_at,
        )
    else:
        yield ok(
            "rule-hits",
            Both("Every rule answered somebody in 30 days.", "30 天内每条规则都回复过。"),
            checked_at=probe.checked_at,
        )
