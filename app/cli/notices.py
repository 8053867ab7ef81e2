"""`oa-bridge notices`: sends of notices to audiences, for an operator without the console."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Final
from uuid import UUID

import typer
from sqlalchemy.ext.asyncio import AsyncSession

from app.cli.access_command import run, settings_of_command, shown
from app.cli.actor import cli_actor
from app.cli.errors import CommandFailed
from app.notices import audience_store, send_store
from app.notices.errors import NoticeError
from app.notices.models import NoticeSend, SendSource, SendState

MAX_LISTED: Final = 50

SendIdentifier = Annotated[UUID, typer.Argument(metavar="SEND", help="The id that sends prints.")]

notices = typer.Typer(no_args_is_help=True)


@notices.command()
def sends() -> None:
    """Print the newest 50 sends to audiences: id, when, state, notices by status, name."""

    async def work(
        session: AsyncSession, _: datetime
    ) -> list[tuple[NoticeSend, Mapping[str, int]]]:
        found: Sequence[NoticeSend] = await audience_store.page(
            session, source=SendSource.AUDIENCE, before=None, limit=MAX_LISTED
        )
        return [(one, await send_store.progress(session, one.id)) for one in found]

    for send, counts in run(settings_of_command(), work):
        figures = " ".join(f"{status}={count}" for status, count in sorted(counts.items()))
        columns = (send.id, shown(send.created_at, ""), send.state, figures, send.name)
        typer.echo("\t".join(map(str, columns)))


@notices.command()
def pause(send_id: SendIdentifier) -> None:
    """Send nothing more until the send is resumed."""
    _change(send_id, SendState.PAUSED)


@notices.command()
def resume(send_id: SendIdentifier) -> None:
    """Go on with a paused send."""
    _change(send_id, SendState.RUNNING)


@notices.command()
def stop(send_id: SendIdentifier) -> None:
    """End a send for good: the notices that wait are skipped."""
    _change(send_id, SendState.STOPPED)


def _change(send_id: UUID, state: SendState) -> None:
    async def work(session: AsyncSession, now: datetime) -> None:
        send = await send_store.locked(session, send_id)
        if send is None:
            raise CommandFailed(f"send {send_id} does not exist")
        try:
            await audience_store.change(session, cli_actor(), send, state, now)
        except NoticeError as error:
            raise CommandFailed(str(error)) from None

    run(settings_of_command(), work)
