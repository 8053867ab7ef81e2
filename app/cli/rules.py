"""`oa-bridge rules`: explains, exports and imports the rules."""

import asyncio
import sys
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from typing import Annotated, Any, Final, TypeVar

import httpx
import typer
from pydantic import ValidationError
from rich.console import Console

from app.cli.actor import cli_actor
from app.cli.database import UNUSABLE, opened, why_unusable
from app.clock import SystemClock
from app.ops import logging
from app.rules import store
from app.rules.definition.schemas import RuleOut
from app.rules.definition.validation_errors import InvalidRequest, problems_in
from app.rules.editing.check_replies import unsendable
from app.rules.explaining.preview import SentReply
from app.rules.explaining.question import Question
from app.rules.explaining.report import Explained, explain_question
from app.rules.importing import document, plan
from app.rules.importing.console import rules_from_console
from app.rules.importing.document import DocumentFormat
from app.rules.importing.import_rules import run_import
from app.rules.importing.imported_rules import ImportedRules, read_rules
from app.rules.importing.limits import MAX_BYTES
from app.rules.importing.plan import Diff, Plan
from app.settings import Settings, load_settings
from app.wechat.api import WeChatApi
from app.wechat.errors import ApiError
from app.wechat.ids import AppId
from app.wechat_client.errors import NoToken
from app.wechat_client.tokens import AccessTokens
from app.wechat_client.with_token import with_token

FAILED: Final = 1
BAD_USE: Final = 2

T = TypeVar("T")

rules = typer.Typer(no_args_is_help=True, help="Explain, export and import the rules.")
out = Console(soft_wrap=True, highlight=False)
err = Console(stderr=True, soft_wrap=True, highlight=False)

AppIdOption = Annotated[
    str | None, typer.Option("--appid", help="The account; not needed if there is only one.")
]


@rules.command()
def explain(
    text: Annotated[str | None, typer.Argument(help="The text that a follower writes.")] = None,
    appid: AppIdOption = None,
    openid: Annotated[str | None, typer.Option(help="The follower who writes it.")] = None,
    event: Annotated[
        str | None, typer.Option(help="An event instead of a text, such as subscribe or CLICK.")
    ] = None,
    event_key: Annotated[
        str | None, typer.Option(help="The EventKey of the event, as WeChat sends it.")
    ] = None,
    at: Annotated[
        str | None,
        typer.Option(help="The time, such as 2026-11-24T12:00:00+08:00. The default is now."),
    ] = None,
) -> None:
    """Show which rules answer a text or an event, with what, and why the near misses do not."""
    settings = _settings()
    if (text is None) == (event is None) or (event is None and event_key is not None):
        err.print("oa-bridge: give a TEXT, or use --event, with --event-key if it has one")
        raise typer.Exit(BAD_USE)
    members: dict[str, object] = {
        "appid": _account(settings, appid),
        "text": text,
        "openid": openid,
        "at": at,
    }
    if event is not None:
        members["message"] = {"Event": event, "EventKey": event_key or ""}
    _run(lambda: _explain(settings, members))


@rules.command(name="export")
def export_rules(
    format: Annotated[
        DocumentFormat, typer.Option(help="The format: yaml or json.")
    ] = DocumentFormat.YAML,
) -> None:
    """Write all rules to standard output, in the form that `rules import` reads."""
    settings = _settings()
    _run(lambda: _export(settings, format))


@rules.command(name="import")
def import_rules(
    file: Annotated[
        Path | None, typer.Argument(help="A file with the whole set of rules; .json, else YAML.")
    ] = None,
    from_wechat: Annotated[
        bool,
        typer.Option(
            "--from-wechat", help="Add the automatic replies of the WeChat console instead."
        ),
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only show what would change.")
    ] = False,
    appid: AppIdOption = None,
) -> None:
    """Replace all rules by those of a file, or add the automatic replies of the WeChat console."""
    settings = _settings()
    if (file is None) == (not from_wechat):
        err.print("oa-bridge: give a FILE, or use --from-wechat")
        raise typer.Exit(BAD_USE)
    if file is None:
        account = _account(settings, appid)
        _run(lambda: _import_console(settings, AppId(account), dry_run=dry_run))
    else:
        _run(lambda: _import_file(settings, file, dry_run=dry_run))


def _settings() -> Settings:
    settings = load_settings()
    logging.configure(settings)
    return settings


def _account(settings: Settings, appid: str | None) -> str:
    known = [account.appid for account in settings.accounts.values() if account.receives]
    if appid is None and len(known) == 1:
        return known[0]
    if appid in known:
        return appid
    err.print(f"oa-bridge: --appid: choose one of {', '.join(known)}")
    raise typer.Exit(BAD_USE)


def _run(command: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run a command. If it fails, print one line for each reason and exit with status FAILED."""
    try:
        asyncio.run(command())
    except InvalidRequest as invalid:
        for problem in invalid.problems:
            field = ".".join(str(part) for part in problem.loc if part != "body")
            err.print(f"oa-bridge: {field}: {problem.msg}", markup=False)
    except NoToken as error:  # before ApiError, which it is a kind of
        err.print(f"oa-bridge: no access token: {error}", markup=False)
    except ApiError as error:
        err.print(f"oa-bridge: WeChat's API failed: {error}", markup=False)
    except OSError as error:
        err.print(f"oa-bridge: {error}", markup=False)
    except UNUSABLE as error:
        err.print(f"oa-bridge: {why_unusable(error)}", markup=False)
    else:
        return
    raise typer.Exit(FAILED)


def _question(members: Mapping[str, object]) -> Question:
    """Return the question as `/api/rules/explain` takes it. Raises InvalidRequest."""
    try:
        return Question.model_validate(members)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
        raise InvalidRequest(problems_in(found)) from None


async def _explain(settings: Settings, members: Mapping[str, object]) -> None:
    question = _question(members)
    now = SystemClock().now()
    async with opened(settings) as database, database.sessions() as session:
        found = await explain_question(session, question, now, settings)
    _show(found)


def _show(found: Explained) -> None:
    if not found.winners:
        out.print("No rule answers.")
    for winner in found.winners:
        rule = winner.rule
        who = f" if the follower {' and '.join(winner.only_if)}" if winner.only_if else ""
        out.print(f"Rule {rule.id} answers{who}: {rule.name} ({rule.kind})", markup=False)
        for reply in winner.replies:
            _show_reply(reply)
    for miss in found.near_misses:
        out.print(
            f"Rule {miss.rule.id} does not answer: {miss.reason} ({miss.rule.name})", markup=False
        )
    if found.more_near_misses:
        out.print(f"{found.more_near_misses} more near misses are not shown.")
    if found.unread_disabled:
        out.print(f"{found.unread_disabled} rules that are switched off were not checked.")
    for broken in found.left_out:
        out.print(f"Rule {broken.id} is left out: {broken.problem}", markup=False)


def _show_reply(reply: SentReply) -> None:
    if reply.xml is not None:
        out.print(reply.xml, markup=False)
    else:
        out.print_json(data=reply.reply if reply.body is None else reply.body)
    for upload in reply.uploads:
        source = upload.source.file or upload.source.url
        out.print(f"  uploaded first as {upload.type}: {source}", markup=False)
    if reply.not_sent is not None:
        out.print(f"  not sent: {reply.not_sent}", markup=False)


async def _export(settings: Settings, format: DocumentFormat) -> None:
    async with opened(settings) as database, database.sessions() as session:
        rows = await store.read_all(session)
    broken = [row.id for row in rows if not isinstance(row, RuleOut)]
    if broken:
        raise OSError(f"rules {broken} were changed outside the API and are no longer valid")
    kept = [row for row in rows if isinstance(row, RuleOut)]
    sys.stdout.write(document.write(kept, format).decode())


def _read(file: Path, settings: Settings) -> ImportedRules:
    format = DocumentFormat.JSON if file.suffix == ".json" else DocumentFormat.YAML
    size = file.stat().st_size
    if size > MAX_BYTES:
        raise OSError(f"{file} has {size} bytes; the limit is {MAX_BYTES}")
    with file.open("rb") as stream:
        return read_rules(stream, format, settings)


async def _import_file(settings: Settings, file: Path, *, dry_run: bool) -> None:
    new = await asyncio.to_thread(_read, file, settings)
    await _apply(settings, new, dry_run=dry_run, add_only=False)


async def _import_console(settings: Settings, appid: AppId, *, dry_run: bool) -> None:
    async with opened(settings) as database, httpx.AsyncClient() as client:
        api = WeChatApi(settings.wechat_api_base_url, settings.api_timeout, client)
        tokens = AccessTokens(database, api, settings.accounts, SystemClock())
        response = await with_token(tokens, appid, api.current_autoreply_info)
    conversion = rules_from_console(response, appid)
    kept = []
    for rule in conversion.rules:
        reasons = [reason for _, reason in unsendable(rule, settings.mini_programs)]
        if reasons:
            conversion.skip(rule.name, "; ".join(reasons))
        else:
            kept.append(rule)
    planned = await _apply(settings, ImportedRules.of(kept), dry_run=dry_run, add_only=True)
    for line in (*conversion.skipped, *plan.skipped(planned)):
        out.print(f"Not imported: {line}", markup=False)


async def _apply(settings: Settings, new: ImportedRules, *, dry_run: bool, add_only: bool) -> Plan:
    async with opened(settings) as database, database.sessions.begin() as session:
        done = await run_import(session, new, cli_actor(), dry_run=dry_run, add_only=add_only)
    _show_diff(plan.diff(done.plan, done.version, dry_run=dry_run))
    return done.plan


def _show_diff(diff: Diff) -> None:
    for sign, found in (("+", diff.added), ("~", diff.changed), ("-", diff.removed)):
        for rule in found:
            fields = f": {', '.join(rule.fields)}" if rule.fields else ""
            number = "" if rule.id is None else f"{rule.id} "
            out.print(f"{sign} {number}{rule.name}{fields}", markup=False)
    verb = "would be" if diff.dry_run else "are"
    out.print(
        f"{len(diff.added)} rules {verb} added, {len(diff.changed)} changed, "
        f"{len(diff.removed)} removed; {diff.unchanged} stay as they are."
    )
