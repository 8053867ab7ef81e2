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
    "设置中没有该账号的 AppSecret，无法向微信查询。",
)
NO_DATABASE: Final = Both(
    "It can't be checked before the database is in order.", "数据库恢复正常之前无法检查。"
)

# What the sentences of `db.diagnosis` begin with.
DATABASE_ZH: Final = {
    diagnosis.NOT_MIGRATED: "数据库不是最新版本：请运行 oa-bridge migrate",
    diagnosis.NEVER_MIGRATED: "数据库里还没有 OA Bridge 的表：请运行 oa-bridge migrate",
    "the connection to the database broke": "与数据库的连接中断：若持续出现，请查看 Postgres 日志",
    "the database refuses the user": "数据库拒绝 DATABASE_URL 中的用户和密码：请改正",
    "the database does not let the user": (
        "数据库不允许 DATABASE_URL 中的用户登录：请改正用户，或在 pg_hba.conf 中放行"
    ),
    "the database that DATABASE_URL": (
        "DATABASE_URL 指定的数据库不存在：请改正名称，或用 CREATE DATABASE 创建"
    ),
    "the user of DATABASE_URL lacks": (
        "DATABASE_URL 中的用户缺少权限：请以数据库所有者运行 migrate，"
        "serve 和 worker 的用户请用 deploy/postgres/roles.sql 设置"
    ),
    "Postgres has no free connection": (
        "Postgres 没有空闲连接：请调大 max_connections，或减少进程"
    ),
    "the disk of Postgres": "Postgres 的磁盘已满：请清理",
    "another transaction holds": "所需的表被其他事务占用：请稍后重试",
    "Postgres is starting": "Postgres 正在启动或停止：请稍候；若未恢复，请查看其日志",
    "the database is read-only": "数据库只读（备库）：请在 DATABASE_URL 中填写主库",
    "all connections of this process": "本进程的数据库连接已用完：请重试",
    "the database does not answer in time": (
        "数据库未及时应答：请检查其所在机器的负载；若在另一台机器上，还请检查网络和 DATABASE_URL"
    ),
    "the database answers too slowly": "数据库应答过慢：请检查其负载",
    "DATABASE_URL can't be used": (
        "DATABASE_URL 无法使用：请写成 postgresql://user:password@host:5432/name，"
        "密码中的 @ 写成 %40，% 写成 %25"
    ),
    "the host in DATABASE_URL": "找不到 DATABASE_URL 中的主机：请改正名称，或检查 DNS",
    "this user may not open": "当前用户无权打开数据库的套接字：请改正其文件夹权限或 DATABASE_URL",
    "can't connect to the database": (
        "无法连接数据库：DATABASE_URL 的主机和端口没有监听；请启动 Postgres 或改正"
    ),
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
    known = next((zh for start, zh in DATABASE_ZH.items() if fault.startswith(start)), None)
    return Both(en, f"{known}。" if known else f"数据库不可用（{fault}）。")


def named(items: Iterable[object]) -> str:
    """Return the first items, and how many more there are."""
    every = list(map(str, items))
    more = len(every) - MAX_NAMED
    return ", ".join(every[:MAX_NAMED]) + (f" (+{more})" if more > 0 else "")
