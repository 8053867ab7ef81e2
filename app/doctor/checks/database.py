"""Checks of the database, its schema, and the clocks. Pure."""

from collections.abc import Iterator
from typing import Final

from app.clock import is_too_large
from app.doctor.facts import Facts
from app.doctor.finding import Both, Finding, fault, look, not_applicable, ok
from app.doctor.words import NO_DATABASE, database_fault, duration

MIN_VERSION: Final = 15
# Of server_version_num: 150004 is 15.4.
VERSION_FACTOR: Final = 10_000
DEFAULT_WINDOW_SECONDS: Final = 600
CLOCK_PROBE: Final = "clock"


def database(facts: Facts) -> Iterator[Finding]:
    """Check that the database answers, and its version."""
    if facts.database_fault is not None:
        yield fault(
            "database",
            database_fault(facts.database_fault),
            Both(
                "Correct DATABASE_URL or start Postgres, as the sentence says; callbacks wait in "
                "the "
                "spool meanwhile.",
                "请按提示改正 DATABASE_URL 或启动 Postgres；期间回调保存在暂存文件中。",
            ),
        )
        return
    if facts.shared is None:
        yield ok("database", Both("The database answers.", "数据库有应答。"))
        return
    version = facts.shared.server_version // VERSION_FACTOR
    if version < MIN_VERSION:
        yield fault(
            "database",
            Both(
                f"The database is Postgres {version}, which is too old.",
                f"数据库是 Postgres {version}，版本过旧。",
            ),
            Both(
                f"Move to Postgres {MIN_VERSION} or newer.",
                f"请升级到 Postgres {MIN_VERSION} 或更新版本。",
            ),
        )
        return
    yield ok("database", Both(f"Postgres {version} answers.", f"Postgres {version} 有应答。"))


def schema(facts: Facts) -> Iterator[Finding]:
    """Check that the database is migrated."""
    if facts.schema is None:
        yield not_applicable("schema", NO_DATABASE)
        return
    found, needed = facts.schema
    if found == needed:
        yield ok(
            "schema",
            Both(f"The schema is up to date ({found}).", f"数据库结构是最新的（{found}）。"),
        )
    elif not facts.is_behind:
        yield look(
            "schema",
            Both(
                f"A newer version of OA Bridge has migrated the database (to {found}; this one "
                f"needs {needed}).",
                f"数据库已由更新版本的 OA Bridge 迁移（{found}；本版本需要 {needed}）。",
            ),
            Both(
                "Finish the upgrade: restart every process with the new version.",
                "请完成升级：用新版本重启所有进程。",
            ),
        )
    elif found is None:
        yield fault(
            "schema",
            Both("The database has no tables of OA Bridge yet.", "数据库里还没有 OA Bridge 的表。"),
            Both("Run oa-bridge migrate.", "请运行 oa-bridge migrate。"),
        )
    else:
        yield fault(
            "schema",
            Both(
                f"The schema of the database is {found}, and this version needs {needed}.",
                f"数据库结构是 {found}，本版本需要 {needed}。",
            ),
            Both("Run oa-bridge migrate.", "请运行 oa-bridge migrate。"),
        )


def clock(facts: Facts) -> Iterator[Finding]:
    """Check this machine's clock, the worker's and the database's against each other and WeChat's.

    The service goes by the database's clock: where that is wrong, WeChat's pushes are refused.
    """
    ahead: dict[str, float] = {}
    if facts.shared is not None and (found := facts.shared.probe(CLOCK_PROBE)) is not None:
        ahead |= {
            name: float(found.result[name])
            for name in ("database", "wechat")
            if name in found.result
        }
    if facts.local is not None:
        ahead.update(facts.local.clock.items())
    if not ahead:
        yield not_applicable(
            "clock", Both("The clocks have not been compared yet.", "尚未比较时钟。")
        )
        return
    drift = ahead["wechat"] - ahead["database"] if {"wechat", "database"} <= ahead.keys() else 0.0
    window = facts.settings.replay_window_seconds or DEFAULT_WINDOW_SECONDS
    ntp = Both(
        "Switch NTP on (timedatectl set-ntp true) on the machines of the database and of OA "
        "Bridge.",
        "请在数据库和 OA Bridge 所在的机器上启用 NTP（timedatectl set-ntp true）。",
    )
    if abs(drift) >= window:
        length = duration(abs(drift))
        yield fault(
            "clock",
            Both(
                f"The database's clock is {length.en} {'ahead of' if drift > 0 else 'behind'} "
                "WeChat's, so pushes "
                "are refused.",
                f"数据库的时钟比微信{'快' if drift > 0 else '慢'} {length.zh}，推送因此被拒绝。",
            ),
            ntp,
        )
        return
    wrong = {name: seconds for name, seconds in ahead.items() if is_too_large(seconds)}
    if wrong:
        name, seconds = max(wrong.items(), key=lambda one: abs(one[1]))
        length = duration(abs(seconds))
        other = {"database": Both("the database's", "数据库"), "wechat": Both("WeChat's", "微信")}[
            name
        ]
        yield look(
            "clock",
            Both(
                f"This machine's clock is {length.en} {'ahead of' if seconds > 0 else 'behind'} "
                f"{other.en}.",
                f"本机时钟比{other.zh}{'快' if seconds > 0 else '慢'} {length.zh}。",
            ),
            ntp,
        )
        return
    yield ok("clock", Both("The clocks agree.", "时钟一致。"))
