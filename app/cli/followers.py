"""The command `oa-bridge followers`."""

import asyncio
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from app.access import audit
from app.access.actions import Action
from app.access.actor import Subject, SubjectKind
from app.cli.actor import cli_actor
from app.cli.api_failure import api_failure
from app.cli.database import UNUSABLE, opened, why_unusable
from app.clock import Clock, SystemClock
from app.db import migrate
from app.db.clock_watch import compare
from app.db.diagnosis import NOT_MIGRATED
from app.db.engine import Database
from app.follower_sync.errors import AlreadyRunning, ListingRepeats
from app.follower_sync.sync import Privacy, sync
from app.follower_sync.sync import Progress as Synced
from app.follower_sync.wechat_users import UserInfoClient
from app.ops import logging
from app.privacy.from_sync import open_for_unfollows
from app.secret_box import secret_box
from app.settings import Settings, load_settings
from app.tombstones.erasure_secret import erasure_secret
from app.wechat import errcodes
from app.wechat.api import WeChatApi
from app.wechat.client import ApiClient, Client
from app.wechat.errors import ApiError
from app.wechat.ids import AppId
from app.wechat_client.call_rates import rates_of
from app.wechat_client.tokens import AccessTokens

FAILED: Final = 1
BAD_USE: Final = 2
TRY_LATER: Final = 75  # EX_TEMPFAIL of sysexits.h
_LATER: Final = frozenset({errcodes.Action.WAIT, errcodes.Action.RETRY})

followers = typer.Typer(no_args_is_help=True)


@followers.callback()
def _group() -> None:
    """Keep `sync` a sub-command while it is the only one."""


@followers.command(name="sync")
def sync_followers(
    appid: Annotated[
        str | None,
        typer.Option(
            help="AppID of one Official Account. Default: all accounts that have an AppSecret."
        ),
    ] = None,
) -> None:
    """Read all followers from WeChat and record new followers, lost followers and UnionIDs.

    You can stop the command at any time; the next run continues where it stopped. Exit status 75
    means: try again later, because the quota of the day is used up, another synchronisation runs,
    or the database is unavailable.
    """
    settings = load_settings(with_media=False)
    logging.configure(settings)
    appids = _accounts_to_sync(settings, appid)
    try:
        status = asyncio.run(_sync_all(settings, appids))
    except UNUSABLE as error:
        typer.echo(f"oa-bridge: {why_unusable(error)}; what was read is kept", err=True)
        status = TRY_LATER
    raise typer.Exit(status)


def _accounts_to_sync(settings: Settings, appid: str | None) -> list[AppId]:
    accounts = settings.accounts
    eligible = [
        AppId(account.appid)
        for account in accounts.values()
        if account.kind == "oa" and account.appsecret is not None
    ]
    if appid is None and eligible:
        return eligible
    if appid in eligible:
        return [AppId(appid)]
    if appid is None:
        problem = "no Official Account has an AppSecret; set WECHAT_APPSECRET"
    elif appid not in accounts:
        problem = f"--appid: {appid} is not configured; configured: {', '.join(accounts)}"
    elif accounts[appid].kind != "oa":
        problem = f"--appid: {appid} is a mini-program; only Official Accounts have followers"
    else:
        problem = f"--appid: {appid} has no AppSecret; set it beside the AppID"
    typer.echo(f"oa-bridge: {problem}", err=True)
    raise typer.Exit(BAD_USE)


async def _sync_all(settings: Settings, appids: list[AppId]) -> int:
    async with opened(settings, pool_size=settings.followers_sync_concurrency + 2) as database:
        if await migrate.is_behind(database.engine):
            typer.echo(f"oa-bridge: {NOT_MIGRATED}", err=True)
            return BAD_USE
        async with ApiClient() as client:
            return max([await _sync_one(settings, database, client, appid) for appid in appids])


async def _sync_one(settings: Settings, database: Database, client: Client, appid: AppId) -> int:
    clock = SystemClock()
    await compare(database, clock)
    api = WeChatApi(settings.wechat_api_base_url, settings.api_timeout, client)
    tokens = AccessTokens(
        *(database, api, settings.accounts, clock, secret_box(settings)),
        logs=False,
        rates=rates_of(settings),
    )
    client_of_account = UserInfoClient(appid, api, tokens, clock)
    try:
        with _bar() as bar:
            task = bar.add_task(appid, total=None, per_second="")

            def report(synced: Synced) -> None:
                speed = bar.tasks[task].speed
                rate = "" if speed is None else f"{speed:,.0f}/s"
                bar.update(task, total=synced.total, completed=synced.asked, per_second=rate)

            done = await sync(
                client_of_account,
                database,
                at_once=settings.followers_sync_concurrency,
                report=report,
                privacy=Privacy(erasure_secret(settings), open_for_unfollows),
            )
    except AlreadyRunning:
        typer.echo(f"{appid}: another synchronisation of this account runs; stopped", err=True)
        return TRY_LATER
    except ApiError as error:
        typer.echo(f"{appid}: {_describe(error)}; what was read is kept", err=True)
        return TRY_LATER if error.action in _LATER else FAILED
    finally:
        await tokens.store()
    await _record(database, clock, appid, done)
    typer.echo(f"{appid}: {done.asked} followers read, {done.found} new, {done.gone} lost")
    return 0


async def _record(database: Database, clock: Clock, appid: AppId, done: Synced) -> None:
    async with database.sessions.begin() as session:
        await audit.record(
            session,
            cli_actor(),
            Action.FOLLOWERS_SYNCHRONISED,
            Subject(SubjectKind.ACCOUNT, appid),
            now=clock.now(),
            count=done.asked,
        )


def _describe(error: ApiError) -> str:
    if isinstance(error, ListingRepeats):
        return f"{error}; run it again later"
    if error.action is errcodes.Action.WAIT:
        return f"{api_failure(error)}; run it again tomorrow"
    if error.action is errcodes.Action.RETRY:
        return f"{api_failure(error)}; run it again later"
    return api_failure(error)


def _bar() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[per_second]}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    )
