"""The command `oa-bridge secrets`."""

import asyncio
from typing import Final

import typer

from app.access import audit
from app.access.actions import Action
from app.access.actor import Subject, SubjectKind
from app.alarms import receiver_secrets
from app.cli.actor import cli_actor
from app.cli.database import UNUSABLE, opened, why_unusable
from app.jssdk import ticket_store
from app.ops import logging
from app.ops.stored_secrets import ERASURE
from app.secret_box import WRONG_KEY, DecryptionFailed, secret_box, webhook_secret_box
from app.settings import Settings, load_settings
from app.tombstones import erasure_secret
from app.webhooks import rewrite_secrets
from app.wechat_client import token_store

FAILED: Final = 1

secrets = typer.Typer(no_args_is_help=True)


@secrets.callback()
def _group() -> None:
    """Keep `rewrite` a sub-command while it is the only one."""


@secrets.command()
def rewrite() -> None:
    """Store every secret as the settings say: encrypted with SECRET_KEY, or without it in clear.

    Run it after all processes have a new SECRET_KEY, with the one before as SECRET_KEY_PREVIOUS.
    """
    settings = load_settings()
    logging.configure(settings)
    try:
        status = asyncio.run(rewrite_all(settings))
    except UNUSABLE as error:
        typer.echo(f"oa-bridge: {why_unusable(error)}", err=True)
        status = FAILED
    raise typer.Exit(status)


async def rewrite_all(settings: Settings) -> int:
    """Store every secret as the settings say; return the exit code. Raises those of UNUSABLE."""
    box, webhook_box = secret_box(settings), webhook_secret_box(settings)
    unreadable = []
    async with opened(settings) as database:
        async with database.sessions.begin() as session:
            changed = await token_store.rewrite(session, box)
            changed += await ticket_store.rewrite(session, box)
            changed += await rewrite_secrets.rewrite(session, webhook_box)
            of_receivers, unread = await receiver_secrets.rewrite(session, box)
            changed += of_receivers
            unreadable += [f"the address of alarm receiver {receiver_id}" for receiver_id in unread]
            try:
                changed += await erasure_secret.rewrite(session, box)
            except DecryptionFailed:
                unreadable.append(ERASURE)
            await audit.record(
                session,
                cli_actor(),
                Action.SECRETS_REWRITTEN,
                Subject(SubjectKind.SECRETS, "all"),
                after="encrypted" if settings.secret_key else "clear",
                count=changed,
            )
        async with database.sessions() as session:
            left = await rewrite_secrets.inspect(session, webhook_box)
            unreadable += [f"the secret of webhook {webhook_id}" for webhook_id in left.unreadable]
    typer.echo(f"{changed} secrets are stored anew, {_how(settings)}")
    for name in unreadable:
        typer.echo(f"oa-bridge: {name} can't be read: {WRONG_KEY}", err=True)
    return FAILED if unreadable else 0


def _how(settings: Settings) -> str:
    return "encrypted" if settings.secret_key else "in clear, since SECRET_KEY is not set"
