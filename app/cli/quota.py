"""The command `oa-bridge quota`."""

import asyncio
from typing import Annotated, Final

import typer

from app.access import audit
from app.access.actions import Action
from app.access.actor import Subject, SubjectKind
from app.cli.access_command import shown
from app.cli.actor import cli_actor
from app.cli.api_failure import api_failure
from app.cli.database import UNUSABLE, opened, why_unusable
from app.clock import SystemClock
from app.db import migrate
from app.db.clock_watch import compare
from app.db.diagnosis import NOT_MIGRATED
from app.db.engine import Database
from app.db.queue import hasten
from app.ops import logging
from app.replies.jobs import DELIVER
from app.secret_box import secret_box
from app.settings import Account, Settings, load_settings
from app.wechat.api import WeChatApi
from app.wechat.client import ApiClient
from app.wechat.errors import ApiError, TransportError
from app.wechat.ids import AppId
from app.wechat_client.clear_quota import (
    CLEARINGS_A_MONTH,
    Clearing,
    NoClearingLeft,
    QuotaClearer,
)
from app.wechat_client.tokens import AccessTokens

FAILED: Final = 1
BAD_USE: Final = 2

quota = typer.Typer(no_args_is_help=True)


@quota.callback()
def _group() -> None:
    """Keep `clear` a sub-command while it is the only one."""


@quota.command()
def clear(
    appid: Annotated[
        str | None,
        typer.Option(help="AppID of the account. Default: the only one that has an AppSecret."),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")] = False,
) -> None:
    """Let the quotas of all APIs of an account begin anew, and send what waits for them.

    WeChat allows it ten times a month. Find first what has used the quota up.
    """
    settings = load_settings(with_media=False)
    logging.configure(settings)
    account = _account(settings, appid)
    try:
        status = asyncio.run(_clear(settings, AppId(account.appid), yes=yes))
    except UNUSABLE as error:
        typer.echo(f"oa-bridge: {why_unusable(error)}", err=True)
        status = FAILED
    raise typer.Exit(status)


def _account(settings: Settings, appid: str | None) -> Account:
    eligible = {name: one for name, one in settings.accounts.items() if one.appsecret is not None}
    if appid is None and len(eligible) == 1:
        return next(iter(eligible.values()))
    if appid in eligible:
        return eligible[appid]
    if appid is None and not eligible:
        problem = "no account has an AppSecret; set WECHAT_APPSECRET"
    elif appid is None:
        problem = f"pass --appid, one of: {', '.join(eligible)}"
    elif appid in settings.accounts:
        problem = f"--appid: {appid} has no AppSecret; set it beside the AppID"
    else:
        problem = f"--appid: {appid} is not configured; configured: {', '.join(settings.accounts)}"
    typer.echo(f"oa-bridge: {problem}", err=True)
    raise typer.Exit(BAD_USE)


async def _clear(settings: Settings, appid: AppId, *, yes: bool) -> int:
    async with opened(settings) as database:
        if await migrate.is_behind(database.engine):
            typer.echo(f"oa-bridge: {NOT_MIGRATED}", err=True)
            return BAD_USE
        clock = SystemClock()
        await compare(database, clock)
        async with ApiClient() as client:
            api = WeChatApi(settings.wechat_api_base_url, settings.api_timeout, client)
            box = secret_box(settings)
            tokens = AccessTokens(database, api, settings.accounts, clock, box, logs=False)
            clearer = QuotaClearer(database, api, tokens, clock)
            _show(appid, await clearer.of_month(appid))
            if not yes:
                typer.confirm("Clear the quotas now?", abort=True)
            status = await _clear_and_report(clearer, appid)
            await tokens.store()
        if status == 0:
            await _resume(database, clock, appid)
    return status


def _show(appid: AppId, found: list[Clearing]) -> None:
    typer.echo(
        f"{appid}: {len(found)} of {CLEARINGS_A_MONTH} clearings of this month are used, as far as "
        "this service knows."
    )
    for one in found:
        typer.echo(f"  {shown(one.at, '')} {one.by}")


async def _clear_and_report(clearer: QuotaClearer, appid: AppId) -> int:
    try:
        await clearer.clear(appid, cli_actor().address or "cli")
    except NoClearingLeft:
        typer.echo(
            "oa-bridge: WeChat allows no further clearing this month; wait for the next day in "
            "Shanghai, when the quotas begin anew",
            err=True,
        )
        return FAILED
    except ApiError as error:
        unknown = isinstance(error, TransportError) and error.outcome_unknown
        told = "; WeChat may have cleared the quotas, so this counts as a use" if unknown else ""
        typer.echo(f"oa-bridge: {api_failure(error)}{told}", err=True)
        return FAILED
    typer.echo("The quotas are cleared. What waited for them is sent now.")
    return 0


async def _resume(database: Database, clock: SystemClock, appid: AppId) -> None:
    others = True
    while others:
        async with database.sessions.begin() as session:
            others = await hasten(session, DELIVER, appid)
    async with database.sessions.begin() as session:
        subject = Subject(SubjectKind.ACCOUNT, appid)
        await audit.record(session, cli_actor(), Action.QUOTA_CLEARED, subject, now=clock.now())
