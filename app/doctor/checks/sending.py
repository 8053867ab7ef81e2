"""Checks of what is sent: the right to send, cards, pictures. Pure. Source: protocol 6 and 11."""

from collections.abc import Iterator
from typing import Final

from app.doctor.checks.api import evidence_of, with_code
from app.doctor.facts import Facts, SentCards, Shared
from app.doctor.finding import Both, Finding, fault, look, not_applicable, ok
from app.doctor.picture_words import UNREADABLE, told
from app.doctor.words import NO_APPSECRET, duration, explained, named
from app.settings import Account

SEND: Final = "message/custom/send"
# The account itself may not send.
NO_RIGHT: Final = frozenset({48001, 48004, 48008, 50001, 50002, 40200, 61004, 61007})
# A card is refused for the mini-program or the page that it opens.
NOT_LINKED: Final = frozenset({40166, 40168, 45064})
BAD_PAGE: Final = 40165
REFUSED_CARD: Final = NOT_LINKED | {BAD_PAGE, 85079}


def _accounts(facts: Facts) -> Iterator[Account]:
    return (one for one in facts.settings.accounts.values() if one.kind == "oa")


def customer_service(facts: Facts, shared: Shared) -> Iterator[Finding]:
    """Check that each account may send customer-service messages."""
    for account in _accounts(facts):
        if account.appsecret is None:
            yield not_applicable("customer-service", NO_APPSECRET, appid=account.appid)
            continue
        refused = shared.refusal(account.appid, SEND)
        if refused is not None and refused.errcode in NO_RIGHT:
            meaning, fix = explained(refused.errcode, refused.rid)
            yield fault(
                "customer-service",
                with_code(meaning, refused.errcode),
                fix,
                appid=account.appid,
                since=refused.since,
                evidence=evidence_of(refused),
            )
        else:
            yield ok(
                "customer-service",
                Both(
                    "WeChat has not refused the right to send customer-service messages.",
                    "微信没有拒绝发送客服消息的权限。",
                ),
                appid=account.appid,
            )


def mini_program_cards(facts: Facts, shared: Shared) -> Iterator[Finding]:
    """Check which mini-programs WeChat refuses in cards."""
    for account in _accounts(facts):
        sent = [one for one in shared.sent if one.appid == account.appid]
        waiting = list(_waiting(account.appid, shared))
        refused = waiting + [
            one
            for one in sent
            if one.errcode in REFUSED_CARD
            and not _arrived_since(one, sent)
            and not any(one.mini_program == other.mini_program for other in waiting)
        ]
        for one in refused:
            yield _refused_card(one)
        if not refused:
            yield ok(
                "mini-program-cards",
                Both(
                    "WeChat refused no card in the last day.",
                    "最近一天微信没有拒绝任何小程序卡片。",
                ),
                appid=account.appid,
            )


def _waiting(appid: str, shared: Shared) -> Iterator[SentCards]:
    """Return the mini-programs whose cards wait since WeChat refuses them."""
    for one in shared.refusals:
        if one.appid == appid and one.mini_program is not None:
            yield SentCards(appid, one.errcode, one.mini_program, one.count, one.since, one.seen_at)


def _arrived_since(refused: SentCards, sent: list[SentCards]) -> bool:
    return any(
        one.errcode is None
        and one.mini_program == refused.mini_program
        and one.last_at > refused.last_at
        for one in sent
    )


def _refused_card(refused: SentCards) -> Finding:
    code = refused.errcode or 0
    mini_program = refused.mini_program or "?"
    meaning, fix = explained(code, None)
    if code in NOT_LINKED:
        fix = Both(
            f"Link the mini-program {mini_program} to {refused.appid} in WeChat's console (小程序"
            "管理), or correct "
            "its AppID in the rules.",
            f"请在公众平台“小程序管理”中把小程序 {mini_program} 关联到 {refused.appid}，或改正规"
            "则中的 AppID。",
        )
    said = with_code(meaning, code)
    return fault(
        "mini-program-cards",
        Both(
            f"Cards that open {mini_program} are refused (so far {refused.count}): {said.en}",
            f"打开小程序 {mini_program} 的卡片被拒绝（共 {refused.count} 张）：{said.zh}",
        ),
        fix,
        appid=refused.appid,
        since=refused.first_at,
        evidence={"errcode": code, "mini_program": refused.mini_program, "count": refused.count},
    )


def pictures(facts: Facts, shared: Shared) -> Iterator[Finding]:
    """Check that the files that rules name can be uploaded."""
    if shared.rules is None:
        yield not_applicable("pictures", Both("The rules can't be read.", "无法读取规则。"))
        return
    bad = shared.rules.bad_media
    if not bad:
        yield ok(
            "pictures",
            Both("Every file that a rule names can be read.", "规则引用的文件都可以读取。"),
        )
        return
    first = bad[0]
    more = f" (+{len(bad) - 1})" if len(bad) > 1 else ""
    wrong, to_do = told(first.problem)
    folder = f"{facts.settings.media_path}"
    if first.problem.startswith(UNREADABLE):
        fix = Both(
            f"Put {first.file} into {folder} (MEDIA_DIR) on every web process and worker, or "
            "name another file in the rule.",
            f"请把 {first.file} 放入所有 web 进程和 worker 的 {folder}（MEDIA_DIR），或在规则中改用"
            "其他文件。",
        )
    else:
        fix = Both(
            f"Replace {first.file} in {folder} (MEDIA_DIR) on every web process and worker: "
            f"{to_do.en}.",
            f"请更换所有 web 进程和 worker 的 {folder}（MEDIA_DIR）中的 {first.file}：{to_do.zh}。",
        )
    yield fault(
        "pictures",
        Both(
            f"Rule {first.rule_id} names {first.file}, which {wrong.en}{more}.",
            f"规则 {first.rule_id} 引用的 {first.file} {wrong.zh}{more}。",
        ),
        fix,
        evidence={"files": sorted({one.file for one in bad})[:100]},
    )


def media_expiry(facts: Facts, shared: Shared) -> Iterator[Finding]:
    """Check for rules that name uploaded media which WeChat is about to delete.

    What a rule names as a file or an address is uploaded again by itself.
    """
    named_by = {} if shared.rules is None else shared.rules.media_ids
    ends = {
        rule_id: min(shared.expiring[one] for one in media_ids if one in shared.expiring)
        for rule_id, media_ids in named_by.items()
        if any(one in shared.expiring for one in media_ids)
    }
    if not ends:
        yield ok(
            "media-expiry", Both("No rule names media that expire.", "没有规则引用即将过期的素材。")
        )
        return
    length = duration((min(ends.values()) - facts.now).total_seconds())
    yield look(
        "media-expiry",
        Both(
            f"Rules name temporary media that end in {length.en}: {named(ends)}.",
            f"以下规则引用的临时素材将在 {length.zh}后失效：{named(ends)}。",
        ),
        Both(
            'Name the picture as {"file": …} in these rules: then it is uploaded by itself.',
            '请在这些规则中用 {"file": …} 引用图片，以便自动重新上传。',
        ),
    )
