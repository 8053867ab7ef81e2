"""`oa-bridge rules`: explains, exports and imports the rules."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError
from rich.console import Console

from app.cli.access_command import settings_of_command
from app.cli.account_command import BAD_USE, AppIdOption, account_of, err, run_command
from app.cli.database import opened
from app.cli.errors import CommandFailed
from app.cli.rules_import import import_console, import_file, stored_rules
from app.clock import SystemClock
from app.rules.definition.validation_errors import InvalidRequest, problems_in
from app.rules.explaining.preview import SentReply
from app.rules.explaining.question import Question
from app.rules.explaining.report import Explained, explain_question
from app.rules.importing import document
from app.rules.importing.document import DocumentFormat
from app.settings import Settings
from app.wechat.ids import AppId

rules = typer.Typer(no_args_is_help=True)
out = Console(soft_wrap=True, highlight=False)


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
    settings = settings_of_command()
    if (text is None) == (event is None) or (event is None and event_key is not None):
        err.print("oa-bridge: give a TEXT, or use --event, with --event-key if it has one")
        raise typer.Exit(BAD_USE)
    members: dict[str, object] = {
        "appid": account_of(settings, appid),
        "text": text,
        "openid": openid,
        "at": at,
    }
    if event is not None:
        members["message"] = {"Event": event, "EventKey": event_key or ""}
    run_command(lambda: _explain(settings, members))


@rules.command(name="export")
def export_rules(
    format: Annotated[
        DocumentFormat, typer.Option(help="The format: yaml or json.")
    ] = DocumentFormat.YAML,
) -> None:
    """Write all rules to standard output, in the form that `rules import` reads."""
    settings = settings_of_command()
    run_command(lambda: _export(settings, format))


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
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")] = False,
    appid: AppIdOption = None,
) -> None:
    """Replace all rules by those of a file, or add the automatic replies of the WeChat console.

    It shows what will change, and asks before it changes or removes a rule. The rules of before are
    kept in a file whose name is printed.
    """
    settings = settings_of_command()
    if (file is None) == (not from_wechat):
        err.print("oa-bridge: give a FILE, or use --from-wechat")
        raise typer.Exit(BAD_USE)
    if file is None:
        account = account_of(settings, appid)
        run_command(lambda: import_console(settings, AppId(account), out, dry_run=dry_run))
    else:
        run_command(lambda: import_file(settings, file, out, dry_run=dry_run, yes=yes), file)


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
        kept, broken = await stored_rules(session)
    if broken:
        raise CommandFailed(f"rules {broken} were changed outside the API and are no longer valid")
    sys.stdout.write(document.write(kept, format).decode())
