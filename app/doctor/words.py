"""Sentences in both languages that several checks need. Pure."""

from collections.abc import Iterable
from typing import Final

from app.db import diagnosis
from app.doctor.finding import Both
from app.wechat.errcodes import explain

MAX_NAMED: Final = 5
_MINUTE: Final = 60
_HOUR: Final = 3600
_DAY: Final = 86400
# A figure below two of a unit is told in the next smaller one.
_SHOWN_FROM: Final = 2

NOT_CHECKED: Final = Both(
    "Not checked yet: a worker checks it every ten minutes.", "尚未检查：worker 每十分钟检查一次。"
)
NO_APPSECRET: Final = Both(
    "The account has no AppSecret in the settings, so WeChat can't be asked.",
    "设置中没有该帐号的 AppSecret，无法向微信查询。",
)
NO_DATABASE: Final = Both(
    "It can't be checked before the database is in order.", "数据库恢复正常之前无法检查。"
)

_DATABASE_ZH: Final = {
    diagnosis.NOT_MIGRATED: "数据库不是最新版本：请运行 oa-bridge migrate",
    diagnosis.NEVER_MIGRATED: "数据库里还没有 OA Bridge 的表：请运行 oa-bridge migrate",
}


def duration(seconds: float) -> Both:
    """Return a length of time in its largest fitting unit."""
    if seconds < _SHOWN_FROM * _MINUTE:
        number = max(0, round(seconds))
        return Both(f"{number} {'second' if number == 1 else 'seconds'}", f"{number} 秒")
    for unit, en, zh in (
        (_DAY, "days", "天"),
        (_HOUR, "hours", "小时"),
        (_MINUTE, "minutes", "分钟"),
    ):
        if seconds >= _SHOWN_FROM * unit:
            return Both(f"{seconds / unit:.0f} {en}", f"{seconds / unit:.0f} {zh}")
    raise AssertionError(seconds)


def explained(errcode: int, rid: str | None) -> tuple[Both, Both]:
    """Return what an errcode means and what to do about it."""
    en, zh = explain(errcode, "en", rid), explain(errcode, "zh", rid)
    return Both(en.meaning, zh.meaning), Both(en.fix, zh.fix)


def database_fault(fault: str) -> Both:
    """Return what `db.diagnosis` says, as a sentence."""
    en = f"{fault[:1].upper()}{fault[1:]}."
    known = _DATABASE_ZH.get(fault)
    return Both(en, f"{known}。" if known else f"数据库不可用（{fault}）。")


def named(items: Iterable[object]) -> str:
    """Return the first items, and how many more there are."""
    every = list(map(str, items))
    more = len(every) - MAX_NAMED
    return ", ".join(every[:MAX_NAMED]) + (f" (+{more})" if more > 0 else "")
