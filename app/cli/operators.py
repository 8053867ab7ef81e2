"""`oa-bridge operators`: who may use the console."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated

import typer
from sqlalchemy.ext.asyncio import AsyncSession

from app.access import operators as store
from app.access import sign_in_links
from app.access.models import Operator
from app.access.roles import Role
from app.cli.access_command import run, settings_of_command, shown
from app.cli.actor import cli_actor
from app.settings import Settings

Name = Annotated[str, typer.Argument(help="The name that histories show, such as 小王.")]
RoleOption = Annotated[
    Role,
    typer.Option(
        help="viewer reads, editor changes rules and webhooks, owner also manages operators and "
        "tokens and erases people."
    ),
]
MINUTES = int(sign_in_links.LIFETIME.total_seconds() // 60)

operators = typer.Typer(no_args_is_help=True)


@operators.command()
def add(name: Name, role: RoleOption = Role.VIEWER) -> None:
    """Add an operator, and print a link with which to sign in."""
    settings = settings_of_command()

    async def work(session: AsyncSession, now: datetime) -> tuple[Operator, str]:
        added = await store.add(session, cli_actor(), name, role, now=now)
        return added, await sign_in_links.make(session, cli_actor(), added, now=now)

    added, secret = run(settings, work)
    typer.echo(f"{added.name} is added as {added.role}.")
    _print_link(settings, secret)


@operators.command()
def link(name: Name) -> None:
    """Print a new link with which an operator signs in."""
    settings = settings_of_command()

    async def work(session: AsyncSession, now: datetime) -> str:
        operator = await store.by_name(session, name)
        return await sign_in_links.make(session, cli_actor(), operator, now=now)

    _print_link(settings, run(settings, work))


@operators.command(name="list")
def list_operators() -> None:
    """Print each operator: name, role, state, and when the operator was added."""
    settings = settings_of_command()

    async def work(session: AsyncSession, _: datetime) -> list[Operator]:
        return list(await store.read_all(session))

    for one in run(settings, work):
        state = "enabled" if one.disabled_at is None else "disabled"
        typer.echo("\t".join((one.name, one.role, state, shown(one.created_at, ""))))


@operators.command()
def role(name: Name, role: Annotated[Role, typer.Argument(help="The new role.")]) -> None:
    """Give an operator another role."""
    changed = _changed(name, store.change_role, role)
    typer.echo(f"{changed.name} is {changed.role}.")


@operators.command()
def disable(name: Name) -> None:
    """End an operator's sessions at once and let nobody in under this name."""
    typer.echo(f"{_changed(name, store.disable).name} is disabled.")


@operators.command()
def enable(name: Name) -> None:
    """Let an operator in again who was disabled; `link` prints the link."""
    typer.echo(f"{_changed(name, store.enable).name} is enabled.")


def _changed(name: str, change: Callable[..., Awaitable[Operator]], *values: Role) -> Operator:
    """Change the operator of this name, and return it. change: of `app.access.operators`."""
    settings = settings_of_command()

    async def work(session: AsyncSession, now: datetime) -> Operator:
        operator = await store.by_name(session, name)
        return await change(session, cli_actor(), operator.id, *values, now=now)

    return run(settings, work)


def _print_link(settings: Settings, secret: str) -> None:
    typer.echo(f"Pass this link on. It signs in once, within {MINUTES} minutes:")
    typer.echo(sign_in_links.link_of(settings.base_url, secret))
