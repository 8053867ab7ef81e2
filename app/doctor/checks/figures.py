"""Checks whether WeChat counts what arrived here. Pure. Source: linkage 10.2."""

from collections.abc import Iterator
from typing import Final

from app.datacube.compare import TOLERANCE, Pair
from app.datacube.measures import FOLLOWED, MESSAGES
from app.doctor.facts import Facts, Refusal, Shared
from app.doctor.finding import Both, Finding, look, not_applicable, ok

CHECK: Final = "wechat-figures"
API_PREFIX: Final = "datacube/"
NO_RIGHT: Final = 48001
NAMES: Final = {FOLLOWED: Both("follows", "次关注"), MESSAGES: Both("messages", "条消息")}
_LOST_FIX: Final = Both(
    "Look at the checks last-push, refused-pushes and public-url, and at restarts on that day; "
    "oa-bridge followers sync records the follows that are missing.",
    "请查看检查项 last-push、refused-pushes、public-url 以及当天是否重启过服务；"
    "缺少的关注可用 oa-bridge followers sync 补上。",
)
_MORE_FIX: Final = Both(
    "Change the Token if somebody else may know it, since others can send pushes with it; compare "
    "the figures in the console.",
    "若 Token 可能已泄露，请更换：他人可借此伪造推送；并在控制台比较各项数字。",
)


def refuses_figures(refused: Refusal) -> bool:
    """Return whether an account has no right to figures, which is no fault: it is not verified."""
    return refused.api.startswith(API_PREFIX) and refused.errcode == NO_RIGHT


def wechat_figures(_: Facts, shared: Shared) -> Iterator[Finding]:
    """Check follows and messages of the newest days that both have counted, for each account."""
    for appid, measures in shared.figures.items():
        if any(one.appid == appid and refuses_figures(one) for one in shared.refusals):
            yield not_applicable(
                CHECK,
                Both(
                    f"WeChat gives this account no figures ({NO_RIGHT}): it is not verified.",
                    f"微信不向该账号提供统计数据（{NO_RIGHT}）：账号未认证。",
                ),
                appid=appid,
            )
            continue
        days = [(name, pair) for name, pairs in measures.items() for pair in pairs]
        differing = [(name, pair) for name, pair in days if pair.differs]
        if not days:
            yield not_applicable(
                CHECK,
                Both(
                    "There is no day yet that WeChat and the service have both counted.",
                    "还没有微信与本服务都统计过的日期。",
                ),
                appid=appid,
            )
        elif not differing:
            yield ok(
                CHECK,
                Both(
                    f"WeChat counts what arrived, within {TOLERANCE:.0%}.",
                    f"微信的统计与收到的一致（相差不超过 {TOLERANCE:.0%}）。",
                ),
                appid=appid,
            )
        for name, pair in differing:
            yield _differs(appid, name, pair)
    if not shared.figures:
        yield not_applicable(
            CHECK,
            Both("No Official Account has an AppSecret.", "没有设置了 AppSecret 的公众号。"),
        )


def _differs(appid: str, name: str, pair: Pair) -> Finding:
    theirs, ours = pair.theirs or 0, pair.ours or 0
    is_lost, what = ours < theirs, NAMES[name]
    return look(
        CHECK,
        Both(
            f"On {pair.day} WeChat counts {theirs:,} {what.en}, and {ours:,} arrived: "
            + ("pushes are being lost." if is_lost else "more than WeChat has sent."),
            f"{pair.day} 微信统计 {theirs:,} {what.zh}，本服务收到 {ours:,}："
            + ("有推送丢失。" if is_lost else "比微信发出的多。"),
        ),
        _LOST_FIX if is_lost else _MORE_FIX,
        appid=appid,
        evidence={"day": pair.day.isoformat(), "figure": name, "wechat": theirs, "ours": ours},
    )
