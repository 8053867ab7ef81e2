"""What `oa-bridge rules import` does: it shows the difference, asks, keeps the former rules."""

import asyncio
from pathlib import Path

import typer
from rich.console import Console
from sqlalchemy.ext.asyncio import AsyncSession

from app.cli.actor import cli_actor
from app.cli.database import opened
from app.cli.errors import CommandFailed
from app.cli.rules_diff import show_diff
from app.clock import SystemClock
from app.rules import store
from app.rules.definition.schemas import RuleOut
from app.rules.importing import document, plan
from app.rules.importing.console_answer import read_answer
from app.rules.importing.document import DocumentFormat
from app.rules.importing.import_rules import RulesChanged, run_import
from app.rules.importing.imported_rules import ImportedRules, read_rules
from app.rules.importing.limits import MAX_BYTES
from app.rules.importing.plan import Plan
from app.secret_box import secret_box
from app.settings import Settings
from app.wechat.api import WeChatApi
from app.wechat.client import ApiClient
from app.wechat.ids import AppId
from app.wechat_client.tokens import AccessTokens
from app.wechat_client.with_token import with_token


async def stored_rules(session: AsyncSession) -> tuple[list[RuleOut], list[int]]:
    """Return all rules, and the ids of those that are no longer valid."""
    rows = await store.read_all(session)
    broken = [row.id for row in rows if not isinstance(row, RuleOut)]
    return [row for row in rows if isinstance(row, RuleOut)], broken


def _read(file: Path, settings: Settings) -> ImportedRules:
    format = DocumentFormat.JSON if file.suffix == ".json" else DocumentFormat.YAML
    try:
        size = file.stat().st_size
        if size > MAX_BYTES:
            raise CommandFailed(f"{file} has {size} bytes; the limit is {MAX_BYTES}")
        with file.open("rb") as stream:
            return read_rules(stream, format, settings)
    except OSError as error:
        raise CommandFailed(f"{file} can't be read: {error.strerror}") from None


async def import_file(
    settings: Settings, file: Path, out: Console, *, dry_run: bool, yes: bool
) -> None:
    """Replace all rules by those of a file. yes: without a question.

    Raises CommandFailed, InvalidRequest and the errors of the database.
    """
    new = await asyncio.to_thread(_read, file, settings)
    async with opened(settings) as database:
        async with database.sessions.begin() as session:
            planned = await run_import(session, new, cli_actor(), dry_run=True)
        diff = plan.diff(planned.plan, planned.version, dry_run=True)
        show_diff(out, diff)
        if dry_run or not (diff.added or diff.changed or diff.removed):
            return
        if (diff.changed or diff.removed) and not yes:
            _confirm()  # nothing is held meanwhile
        async with database.sessions.begin() as session:
            former = await _keep_former(session, settings.data_dir, planned.version)
            await _replace(session, new, planned.version)
    out.print("Done.")
    out.print(f"To go back: oa-bridge rules import {former}", markup=False)


def _confirm() -> None:
    try:
        typer.confirm("Import?", abort=True)
    except typer.Abort:
        raise CommandFailed(
            "nothing was changed; answer y, or pass --yes to import without a question"
        ) from None


async def _replace(session: AsyncSession, new: ImportedRules, version: int) -> None:
    try:
        await run_import(session, new, cli_actor(), dry_run=False, expected=frozenset({version}))
    except RulesChanged:
        raise CommandFailed(
            "nothing was changed, since somebody else has changed the rules meanwhile; run the "
            "import again to see the new difference"
        ) from None


async def _keep_former(session: AsyncSession, folder: Path, version: int) -> Path:
    """Write the present rules to a file and return it. Rules that are not valid are left out."""
    kept, _ = await stored_rules(session)
    file = folder / f"rules-version-{version}.yaml"
    try:
        await asyncio.to_thread(_write, file, document.write(kept, DocumentFormat.YAML))
    except OSError as error:
        raise CommandFailed(
            f"nothing was changed, since the present rules can't be kept in {file}: "
            f"{error.strerror}"
        ) from None
    return file


def _write(file: Path, content: bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)


async def import_console(settings: Settings, appid: AppId, out: Console, *, dry_run: bool) -> None:
    """Add the automatic replies of the WeChat console.

    Raises ApiError and the errors of the database.
    """
    async with opened(settings) as database, ApiClient() as client:
        api = WeChatApi(settings.wechat_api_base_url, settings.api_timeout, client)
        tokens = AccessTokens(
            database, api, settings.accounts, SystemClock(), secret_box(settings), logs=False
        )
        try:
            response = await with_token(
                tokens, appid, api.current_autoreply_info, api="get_current_autoreply_info"
            )
        finally:
            await tokens.store()
    rules, skipped = read_answer(response, appid, settings)
    planned = await _add(settings, rules, out, dry_run=dry_run)
    for line in (*skipped, *plan.skipped(planned)):
        out.print(f"Not imported: {line}", markup=False)


async def _add(settings: Settings, new: ImportedRules, out: Console, *, dry_run: bool) -> Plan:
    async with opened(settings) as database, database.sessions.begin() as session:
        done = await run_import(session, new, cli_actor(), dry_run=dry_run, add_only=True)
    show_diff(out, plan.diff(done.plan, done.version, dry_run=dry_run))
    return done.plan
