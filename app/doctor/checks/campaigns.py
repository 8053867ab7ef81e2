"""Checks of campaigns. Pure."""

from collections.abc import Iterator

from app.doctor.facts import Facts, Shared
from app.doctor.finding import Both, Finding, fault, look, not_applicable, ok

_NONE = Both("No campaign with codes runs now.", "目前没有带兑换码的活动。")
_FIX = Both(
    "Import or draw more codes, by the console or by POST /api/campaigns/…/codes/drawn.",
    "请导入或生成更多兑换码：在控制台，或用 POST /api/campaigns/…/codes/drawn。",
)


def campaign_codes(_: Facts, shared: Shared) -> Iterator[Finding]:
    """Check how many codes each campaign that runs has left."""
    if not shared.pools:
        yield not_applicable("campaign-codes", _NONE)
    for pool in shared.pools:
        what = Both(
            f"Codes left of the campaign {pool.name}: {pool.left:,}.",
            f"活动“{pool.name}”还剩 {pool.left:,} 个兑换码。",
        )
        if pool.is_empty:
            yield fault("campaign-codes", what, _FIX)
        elif pool.is_low:
            yield look("campaign-codes", what, _FIX)
        else:
            yield ok("campaign-codes", what)
