"""The command `oa-bridge users`."""

import asyncio
from typing import Annotated, Final
from uuid import UUID

import typer

from app.cli.actor import cli_actor
from app.cli.database import UNUSABLE, opened, why_unusable
from app.clock import SystemClock
from app.db import migrate
from app.db.clock_watch import compare
from app.db.diagnosis import NOT_MIGRATED
from app.db.engine import Database
from app.ops import logging
from app.privacy import from_operator
from app.privacy.erase import erase
from app.privacy.models import Erasure
from app.settings import Settings, load_settings
from app.worker import make_eraser

FAILED: Final = 1
BAD_USE: Final = 2

users = typer.Typer(no_args_is_help=True)


@users.callback()
def _group() -> None:
    """Keep `erase` a sub-command while it is the only one."""


@users.command(name="erase")
def erase_user(
    unionid: Annotated[
        str | None, typer.Argument(help="UnionID of the user. Or use --appid and --openid.")
    ] = None,
    appid: Annotated[str | None, typer.Option(help="AppID of the account of the OpenID.")] = None,
    openid: Annotated[
        str | None, typer.Option(help="OpenID of the user, if the UnionID is not known.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")] = False,
) -> None:
    """Erase a user at all accounts now, and print the certificate.

    If you stop the command, or if webhooks must be notified first, a worker completes the erasure.
    """
    if (unionid is None) == (openid is None) or (openid is None) != (appid is None):
        typer.echo("oa-bridge: pass a UnionID, or both --appid and --openid", err=True)
        raise typer.Exit(BAD_USE)
    settings = load_settings(with_media=False)
    logging.configure(settings)
    if not yes:
        typer.confirm("Erase this user permanently?", abort=True)
    try:
        status = asyncio.run(_erase(settings, unionid, appid, openid))
    except UNUSABLE as error:
        typer.echo(f"oa-bridge: {why_unusable(error)}", err=True)
        status = FAILED
    raise typer.Exit(status)


async def _erase(
    settings: Settings, unionid: str | None, appid: str | None, openid: str | None
) -> int:
    async with opened(settings) as database:
        if await migrate.is_behind(database.engine):
            typer.echo(f"oa-bridge: {NOT_MIGRATED}", err=True)
            return BAD_USE
        clock = SystemClock()
        await compare(database, clock)
        erasure_id = await _open(settings, database, clock, unionid, appid, openid)
        if erasure_id is None:
            user = unionid or f"{openid} of account {appid}"
            typer.echo(f"oa-bridge: user {user} does not exist", err=True)
            return FAILED
        await erase(make_eraser(settings, database, clock), erasure_id)
        await _print_result(database, erasure_id)
    return 0


async def _open(
    settings: Settings,
    database: Database,
    clock: SystemClock,
    unionid: str | None,
    appid: str | None,
    openid: str | None,
) -> UUID | None:
    now = clock.now()
    async with database.sessions.begin() as session:
        if unionid is not None:
            return await from_operator.erase_unionid(
                session, unionid, asked=settings.asked_accounts, actor=cli_actor(), now=now
            )
        return await from_operator.erase_openid(
            session, appid or "", openid or "", actor=cli_actor(), now=now
        )


async def _print_result(database: Database, erasure_id: UUID) -> None:
    async with database.sessions() as session:
        erasure = await session.get_one(Erasure, erasure_id)
    if erasure.finished_at is None:
        typer.echo(
            "The contents are erased. The ids follow once the webhooks are notified, within a day: "
            f"see /api/erasures/{erasure_id}"
        )
        return
    typer.echo(f"erased: {len(erasure.erased)} OpenIDs; certificate {erasure_id}")
    for table, number in sorted(erasure.counts.items()):
        typer.echo(f"  {table}: {number}")
