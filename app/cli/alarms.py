"""`oa-bridge alarms`: what lasts, when alarms begin, and who is told of them."""

import asyncio
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Final
from uuid import UUID

import typer
from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncSession

from app.alarms import alarm_store, receiver_store, threshold_store
from app.alarms.alarm_store import AlarmState
from app.alarms.deliver import Teller, send_test
from app.alarms.errors import AlarmError, BadReceiver, StaleThreshold, TooManyReceivers
from app.alarms.kinds import AlarmKind
from app.alarms.message import sentence
from app.alarms.models import Alarm, AlarmReceiver
from app.alarms.schemas import ReceiverIn
from app.alarms.send import SendResult
from app.alarms.threshold import Threshold, tag_of
from app.alarms.threshold_store import ALL_ACCOUNTS, Thresholds
from app.cli.access_command import run, settings_of_command, shown
from app.cli.actor import cli_actor
from app.cli.database import opened
from app.cli.errors import CommandFailed
from app.clock import SystemClock
from app.rules.definition.validation_errors import describe
from app.secret_box import secret_box
from app.settings import Settings
from app.webhooks.endpoint_url import endpoint_policy

MAX_LISTED: Final = 500
MAX_BYTES: Final = 65_536
FAILED: Final = 1

Receiver = Annotated[UUID, typer.Argument(metavar="RECEIVER", help="The id of a receiver.")]

alarms = typer.Typer(no_args_is_help=True)


@alarms.command(name="list")
def list_alarms() -> None:
    """Print the alarms that last: since when, account, and what is so."""

    async def work(session: AsyncSession, _: datetime) -> Sequence[Alarm]:
        return await alarm_store.page(
            session, before=None, limit=MAX_LISTED, state=AlarmState.ACTIVE
        )

    known = set(AlarmKind)
    for alarm in run(settings_of_command(), work):
        what = sentence(alarm, "en") if alarm.kind in known else alarm.kind
        typer.echo("\t".join((shown(alarm.began_at, "-"), alarm.appid or "-", what)))


@alarms.command()
def receivers() -> None:
    """Print each receiver: id, kind, name, host, when it last took a message, and its failure."""

    async def work(session: AsyncSession, _: datetime) -> Sequence[AlarmReceiver]:
        return await receiver_store.all_receivers(session)

    for one in run(settings_of_command(), work):
        state = one.error or ("on" if one.enabled else "off")
        sent = f"sent {shown(one.sent_at, 'never')}"
        typer.echo("\t".join((str(one.id), one.kind.value, one.name, one.host, sent, state)))


@alarms.command()
def add(
    file: Annotated[
        Path,
        typer.Argument(help="A receiver as JSON, as /api/alarms/receivers takes it; - is stdin."),
    ],
) -> None:
    """Add a receiver, and print its id. Its secrets stand in the file, not on the command line."""
    settings = settings_of_command()

    async def work(session: AsyncSession, now: datetime) -> AlarmReceiver:
        box, policy = secret_box(settings), endpoint_policy(settings)
        try:
            return await receiver_store.add(session, cli_actor(), _receiver(file), box, policy, now)
        except BadReceiver as error:
            raise CommandFailed(f"{error.field}: {error}") from None
        except TooManyReceivers:
            most = receiver_store.MAX_RECEIVERS
            raise CommandFailed(f"there are {most} receivers: delete one first") from None

    typer.echo(run(settings, work).id)


@alarms.command()
def test(receiver: Receiver) -> None:
    """Send a test message to a receiver, and print what came of it."""
    settings = settings_of_command()

    async def work(session: AsyncSession, now: datetime) -> AlarmReceiver:
        found = await _locked(session, receiver)
        try:
            await receiver_store.begin_test(session, cli_actor(), found, now)
        except AlarmError as error:
            raise CommandFailed(str(error)) from None
        return found

    result = asyncio.run(_send_test(settings, run(settings, work)))
    if not result.accepted:
        typer.echo(f"oa-bridge: the receiver has not taken it: {result.error}", err=True)
        raise typer.Exit(FAILED)
    typer.echo(result.note or "The receiver has taken it.")


@alarms.command()
def delete(receiver: Receiver) -> None:
    """Delete a receiver."""

    async def work(session: AsyncSession, now: datetime) -> None:
        if not await receiver_store.remove(session, cli_actor(), receiver, now):
            raise CommandFailed(f"alarm receiver {receiver} does not exist")

    run(settings_of_command(), work)


@alarms.command()
def thresholds() -> None:
    """Print when each kind of alarm begins: kind, account, and the tag of what is set."""

    async def work(session: AsyncSession, _: datetime) -> Thresholds:
        return await threshold_store.read(session)

    found = run(settings_of_command(), work)
    for kind, appid, _ in threshold_store.listed(found):
        typer.echo("\t".join((kind.value, appid or "-", found.tag(kind, appid))))


@alarms.command()
def threshold(
    kind: Annotated[AlarmKind, typer.Argument(help="What the alarms are about.")],
    value: Annotated[
        float | None, typer.Argument(help="From which figure on; without it, the default.")
    ] = None,
    appid: Annotated[str, typer.Option(help="Of this account alone.")] = ALL_ACCOUNTS,
    off: Annotated[bool, typer.Option("--off", help="No alarms of this kind.")] = False,
    reset: Annotated[bool, typer.Option("--reset", help="Remove what is set here.")] = False,
    if_match: Annotated[
        str | None,
        typer.Option(help="Only if this is set, as `thresholds` prints it.", metavar="TAG"),
    ] = None,
) -> None:
    """Set or remove when alarms of a kind begin, and print the tags of what was set and what is."""
    settings = settings_of_command()
    if reset and (off or value is not None):
        raise typer.BadParameter("--reset takes neither a value nor --off")
    wanted = Threshold(not off, value)

    async def work(session: AsyncSession, now: datetime) -> Threshold | None:
        actor = cli_actor()
        try:
            if reset:
                return await threshold_store.remove(
                    session, actor, kind, appid, now, if_match=if_match
                )
            threshold_store.check(kind, appid, wanted, settings.accounts)
            return await threshold_store.put(
                session, actor, kind, appid, wanted, now, if_match=if_match
            )
        except StaleThreshold as stale:
            raise CommandFailed(f"nothing was changed: {stale.tag} is set now") from None
        except AlarmError as error:
            raise CommandFailed(str(error)) from None

    before = run(settings, work)
    typer.echo(f"{tag_of(before)} -> {tag_of(None if reset else wanted)}")


async def _locked(session: AsyncSession, receiver_id: UUID) -> AlarmReceiver:
    found = await receiver_store.locked(session, receiver_id)
    if found is None:
        raise CommandFailed(f"alarm receiver {receiver_id} does not exist")
    return found


async def _send_test(settings: Settings, receiver: AlarmReceiver) -> SendResult:
    async with opened(settings) as database:
        return await send_test(Teller(database.sessions, SystemClock(), settings), receiver)


def _receiver(file: Path) -> ReceiverIn:
    try:
        if str(file) == "-":
            content = sys.stdin.buffer.read(MAX_BYTES + 1)
        else:
            with file.open("rb") as opened_file:
                content = opened_file.read(MAX_BYTES + 1)
    except OSError as error:
        raise CommandFailed(f"{file} can't be read: {error.strerror}") from None
    if len(content) > MAX_BYTES:
        raise CommandFailed(f"{file} has more than {MAX_BYTES} bytes")
    try:
        return ReceiverIn.model_validate_json(content)
    except ValidationError as error:
        raise CommandFailed(f"{file}: {describe(error)}") from None
