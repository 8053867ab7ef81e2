"""Checks of QR codes. Pure. Source: protocol 9.5; linkage 4."""

from collections.abc import Iterator

from app.doctor.facts import Facts, Shared
from app.doctor.finding import Both, Finding, fault, look, not_applicable, ok
from app.qrcodes.counts import LIMITS, is_warned
from app.qrcodes.models import QrKind

_NONE = Both("No permanent QR code was made here.", "尚未生成永久二维码。")
_FIX = Both(
    "Permanent codes never come back: make temporary ones for web pages, and permanent ones for "
    "print alone.",
    "永久二维码的额度不会恢复：网页请用临时二维码，仅印刷品使用永久二维码。",
)


def permanent_qrcodes(_: Facts, shared: Shared) -> Iterator[Finding]:
    """Check how many of its permanent codes each account has made, by the service's own count."""
    if not shared.permanent_qrcodes:
        yield not_applicable("permanent-qrcodes", _NONE)
    limit = LIMITS[QrKind.PERMANENT]
    for appid, count in shared.permanent_qrcodes.items():
        what = Both(
            f"{count:,} of {limit:,} permanent QR codes are used.",
            f"永久二维码额度 {limit:,} 个已用 {count:,} 个。",
        )
        if is_warned(count):
            judged = fault if count >= limit else look
            yield judged("permanent-qrcodes", what, _FIX, appid=appid)
        else:
            yield ok("permanent-qrcodes", what, appid=appid)
