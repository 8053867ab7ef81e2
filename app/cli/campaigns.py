"""`oa-bridge campaigns`: campaigns, their codes and their figures."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Final
from uuid import UUID

import typer
from sqlalchemy.ext.asyncio import AsyncSession

from app.access import audit
from app.access.actions import Action
from app.campaigns import store
from app.campaigns.errors import NoSuchCampaign
from app.campaigns.figures import figures_of
from app.campaigns.models import Campaign
from app.campaigns.router import out
from app.campaigns.schemas import CampaignOut, FiguresOut
from app.cli.access_command import run, run_on_database, settings_of_command, shown
from app.cli.actor import cli_actor
from app.cli.errors import CommandFailed
from app.clock import SHANGHAI, Clock
from app.codes import import_store
from app.codes.add import add_part
from app.codes.errors import BadCodes, CodeError
from app.codes.models import CodeImport, ImportState
from app.codes.receive import receive
from app.csv_rows import csv_rows
from app.db.engine import Database
from app.links.days_query import MAX_DAYS

MAX_LISTED: Final = 100
PIECE_BYTES: Final = 65_536
COLUMNS: Final = ("day", "kind", "id", "handed_out", "opened", "redeemed")

Identifier = Annotated[UUID, typer.Argument(metavar="CAMPAIGN", help="The id that list prints.")]
Day = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"])]

campaigns = typer.Typer(no_args_is_help=True)


@campaigns.command(name="list")
def list_campaigns() -> None:
    """Print the newest 100 campaigns: id, begin, end, doors, codes left, name."""

    async def work(session: AsyncSession, _: datetime) -> Sequence[CampaignOut]:
        return await out(session, *await store.page(session, before=None, limit=MAX_LISTED))

    for one in run(settings_of_command(), work):
        left = "" if one.codes_left is None else one.codes_left
        begin, end = shown(one.starts_at, ""), shown(one.ends_at, "")
        typer.echo("\t".join(map(str, (one.id, begin, end, len(one.doors), left, one.name))))


@campaigns.command()
def show(campaign_id: Identifier) -> None:
    """Print a campaign, and the figures of each of its doors since it began."""

    async def work(session: AsyncSession, now: datetime) -> tuple[CampaignOut, FiguresOut]:
        found = await _campaign(session, campaign_id)
        (written,) = await out(session, found)
        return written, await _figures(session, found, None, None, now)

    found, figures = run(settings_of_command(), work)
    typer.echo(f"{found.name}\n{shown(found.starts_at, '')} to {shown(found.ends_at, '')}")
    if found.target is not None:
        typer.echo(f"opens {found.target.appid} {found.target.pagepath}")
    if found.codes_left is not None:
        typer.echo(f"codes left: {found.codes_left}")
    typer.echo(f"follows: {figures.follows}")
    for door in figures.doors:
        names = (door.kind or "not known", door.id or "")
        numbers = (
            f"handed out {door.handed_out}",
            f"opened {door.opened}",
            f"redeemed {door.redeemed}",
        )
        typer.echo("\t".join((*names, *numbers)))


@campaigns.command(name="import")
def import_codes(
    campaign_id: Identifier,
    file: Annotated[Path, typer.Argument(help="CSV with a column `code`, or one code on a line.")],
) -> None:
    """Add up to 1,000,000 codes from a file, and print how far that is.

    The whole file is checked first. If the command is stopped, the worker adds the rest; a file
    that is imported again adds nothing.
    """

    async def work(database: Database, clock: Clock) -> CodeImport:
        async with database.sessions.begin() as session:
            await _campaign(session, campaign_id)
        received = await _received(database, clock, campaign_id, file)
        async with database.sessions.begin() as session:
            await audit.record(
                session,
                cli_actor(),
                Action.CODES_IMPORTED,
                store.subject_of(campaign_id),
                now=clock.now(),
            )
        return await _add(database, clock, received)

    added = run_on_database(settings_of_command(), work)
    typer.echo(f"new {added.added}\tknown before {added.present}")


@campaigns.command()
def export(campaign_id: Identifier, since: Day = None, until: Day = None) -> None:
    """Print the figures of each door and day in Shanghai as CSV.

    Without days: since the campaign began, at most the last 366 days.
    """

    async def work(session: AsyncSession, now: datetime) -> FiguresOut:
        return await _figures(session, await _campaign(session, campaign_id), since, until, now)

    figures = run(settings_of_command(), work)
    rows = [[getattr(row, column) for column in COLUMNS] for row in figures.days]
    typer.echo(csv_rows([COLUMNS, *rows]), nl=False)


async def _campaign(session: AsyncSession, campaign_id: UUID) -> Campaign:
    try:
        return await store.read(session, campaign_id)
    except NoSuchCampaign:
        raise CommandFailed(f"campaign {campaign_id} does not exist") from None


async def _figures(
    session: AsyncSession,
    campaign: Campaign,
    since: datetime | None,
    until: datetime | None,
    now: datetime,
) -> FiguresOut:
    """Return the figures of some days, both included; by default of all since the begin."""
    last = (now.astimezone(SHANGHAI) if until is None else until).date()
    earliest = last - timedelta(days=MAX_DAYS - 1)
    if since is None:
        first = max(min(campaign.starts_at.astimezone(SHANGHAI).date(), last), earliest)
    else:
        first = since.date()
    if not earliest <= first <= last:
        raise CommandFailed(f"--since: name a day up to {MAX_DAYS - 1} days before --until")
    return await figures_of(session, campaign, first, last)


async def _received(database: Database, clock: Clock, campaign_id: UUID, file: Path) -> CodeImport:
    try:
        return await receive(database.sessions, clock, campaign_id, _pieces(file))
    except OSError as error:
        raise CommandFailed(f"{file} can't be read: {error.strerror}") from None
    except BadCodes as error:
        raise CommandFailed("\n".join(f"{file}: {words}" for words in error.problems)) from None
    except CodeError as error:
        raise CommandFailed(str(error)) from None


async def _pieces(file: Path) -> AsyncIterator[bytes]:
    with file.open("rb") as opened:
        while piece := opened.read(PIECE_BYTES):
            yield piece


async def _add(database: Database, clock: Clock, received: CodeImport) -> CodeImport:
    """Add the codes as the worker would, who may add some of them meanwhile."""
    while True:
        async with database.sessions.begin() as session:
            goes_on = await add_part(session, clock, received.id)
            found = await import_store.read(session, received.campaign_id, received.id)
        if found is None:
            raise CommandFailed(f"campaign {received.campaign_id} was deleted meanwhile")
        typer.echo(f"{found.added + found.present} of {found.total} codes", err=True)
        if not goes_on or found.state is ImportState.DONE:
            return found
