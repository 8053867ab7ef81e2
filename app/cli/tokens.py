"""`oa-bridge tokens`: the tokens of programs that call `/api`."""

import re
from datetime import datetime, timedelta
from typing import Annotated, Final

import typer
from sqlalchemy.ext.asyncio import AsyncSession

from app.access import tokens as store
from app.access.models import ApiToken
from app.access.scopes import ApiScope
from app.cli.access_command import run, settings_of_command, shown
from app.cli.actor import cli_actor

_DAYS: Final = re.compile(r"([1-9]\d{0,3})d", re.ASCII)

Name = Annotated[str, typer.Argument(help="What the token is for, such as crm.")]

tokens = typer.Typer(no_args_is_help=True)


def _lifetime(text: str) -> timedelta:
    found = _DAYS.fullmatch(text)
    if found is None:
        raise typer.BadParameter("write a number of days, such as 90d")
    return timedelta(days=int(found[1]))


@tokens.command()
def add(
    name: Name,
    scope: Annotated[list[ApiScope], typer.Option(help="What it may do; may be repeated.")],
    appid: Annotated[
        list[str] | None,
        typer.Option(help="Account of which it may speak; may be repeated."),
    ] = None,
    expires: Annotated[
        timedelta | None,
        typer.Option(
            parser=_lifetime,
            metavar="DAYS",
            help="When it expires, such as 90d. The default is never.",
        ),
    ] = None,
) -> None:
    """Make a token and print it. It is not shown again."""
    settings = settings_of_command()

    async def work(session: AsyncSession, now: datetime) -> tuple[ApiToken, str]:
        return await store.add(
            session,
            cli_actor(),
            name,
            scope,
            appid or [],
            expires_at=None if expires is None else now + expires,
            now=now,
        )

    added, secret = run(settings, work)
    typer.echo(
        f"The token {added.name} works within seconds, and expires: "
        f"{shown(added.expires_at, 'never')}. It is not shown again:",
        err=True,
    )
    typer.echo(secret)


@tokens.command(name="list")
def list_tokens() -> None:
    """Print each token: name, state, scopes, AppIDs, expiry and last use."""
    settings = settings_of_command()

    async def work(session: AsyncSession, now: datetime) -> tuple[datetime, list[ApiToken]]:
        return now, list(await store.read_all(session))

    now, found = run(settings, work)
    for one in found:
        expiry = f"expires {shown(one.expires_at, 'never')}"
        used = f"used {shown(one.last_used_at, 'never')}"
        scopes, appids = " ".join(one.scopes), " ".join(one.appids) or "-"
        typer.echo("\t".join((one.name, _state(one, now), scopes, appids, expiry, used)))


@tokens.command()
def revoke(name: Name) -> None:
    """Make a token invalid for good, within seconds."""
    settings = settings_of_command()

    async def work(session: AsyncSession, now: datetime) -> ApiToken:
        return await store.revoke(session, cli_actor(), name, now=now)

    typer.echo(f"The token {run(settings, work).name} is revoked.")


def _state(token: ApiToken, now: datetime) -> str:
    if token.revoked_at is not None:
        return "revoked"
    return "expired" if token.expires_at is not None and token.expires_at <= now else "valid"
