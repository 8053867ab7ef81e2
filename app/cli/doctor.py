"""The command `oa-bridge doctor`."""

import asyncio
from enum import StrEnum
from functools import partial
from typing import Annotated, Final

import structlog
import typer

from app.callback.spool_report import read_status
from app.cli.database import opened
from app.clock import SystemClock
from app.db import migrate
from app.db.clock_watch import compare
from app.db.engine import Database
from app.doctor.checks.registry import CHECKS
from app.doctor.doctor import local_facts, make_doctor
from app.doctor.facts import Local
from app.doctor.finding import Both, Finding, State, fault, verdict
from app.doctor.prober import make_prober
from app.doctor.schemas import doctor_out
from app.doctor.setting_words import problem_in_chinese
from app.ops import logging
from app.ops.database_state import DATABASE_ERRORS
from app.settings import Settings, SettingsError, load_settings
from app.wechat.client import ApiClient

EXIT: Final = {State.OK: 0, State.LOOK: 1, State.FAULT: 2}
STATES: Final = {
    State.OK: Both("ok", "正常"),
    State.LOOK: Both("look", "需留意"),
    State.FAULT: Both("fault", "有故障"),
    State.NOT_APPLICABLE: Both("not applicable", "不适用"),
}

log = structlog.get_logger(__name__)

doctor = typer.Typer(add_completion=False)


class Language(StrEnum):
    """The language of the sentences."""

    EN = "en"
    ZH = "zh"


@doctor.command()
def run(
    as_json: Annotated[
        bool, typer.Option("--json", help="Print everything as JSON, in both languages.")
    ] = False,
    language: Annotated[
        Language, typer.Option(help="The language of the sentences.")
    ] = Language.EN,
    ask: Annotated[
        bool, typer.Option("--ask/--no-ask", help="Ask WeChat now, or use what workers found.")
    ] = True,
) -> None:
    """Check the whole link; say what is wrong and what to do.

    It ends with 0 if all is well, 1 if something should be looked at, 2 if something does not work.
    Run it where the worker runs, since WeChat knows machines by their address.
    """
    try:
        settings = load_settings()
    except SettingsError as error:
        findings = [_wrong_setting(problem) for problem in error.problems]
    else:
        logging.configure(settings, "stderr")
        findings = asyncio.run(_examine(settings, ask=ask))
    if as_json:
        typer.echo(doctor_out(findings).model_dump_json(indent=2))
    else:
        for line in _lines(findings, language):
            typer.echo(line)
    raise typer.Exit(EXIT[verdict(findings)])


def _wrong_setting(problem: str) -> Finding:
    chinese = problem_in_chinese(problem)
    en, zh = "" if problem.endswith("?") else ".", "" if chinese.endswith("？") else "。"
    return fault(
        "settings",
        Both(f"A setting is wrong: {problem}{en}", f"设置有误：{chinese}{zh}"),
        Both("Correct it in the environment or in .env.", "请在环境变量或 .env 中改正。"),
    )


async def _examine(settings: Settings, *, ask: bool) -> list[Finding]:
    clock = SystemClock()
    async with opened(settings) as database:
        await compare(database, clock)
        if ask:
            await _ask_wechat(settings, database, clock)
        read_local = partial(_local, settings)
        return await make_doctor(settings, database, clock, read_local).findings()


def _local(settings: Settings) -> Local:
    spool = read_status(settings.data_dir, settings.spool_max_callbacks)
    return local_facts(settings.data_dir, spool)


async def _ask_wechat(settings: Settings, database: Database, clock: SystemClock) -> None:
    """Make the probes, if the database can hold their results."""
    try:
        if await migrate.is_behind(database.engine):
            return
        async with ApiClient() as client:
            await make_prober(settings, database, clock, client).run()
    except DATABASE_ERRORS as error:  # the findings say what is wrong with it
        log.info("doctor.not_asked", error=type(error).__name__)


def _lines(findings: list[Finding], language: Language) -> list[str]:
    lines: list[str] = []
    for finding in findings:
        if finding.fix is None:
            continue
        title = getattr(CHECKS[finding.check].title, language)
        about = f" {finding.appid}" if finding.appid else ""
        state = getattr(STATES[finding.state], language)
        lines += [
            f"{state}: {title}{about}",
            f"  {getattr(finding.what, language)}",
            f"  → {getattr(finding.fix, language)}",
            f"  docs/{language}/{finding.documentation}",
        ]
    counts = {state: sum(one.state is state for one in findings) for state in State}
    told = (f"{getattr(STATES[state], language)}: {counts[state]}" for state in State)
    return [*lines, ", ".join(told)]
